import { IconUserOff, IconUserPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useMemo, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Account } from '../../../protocol/access.ts'
import { listAccountsCommand } from '../../kubectl/access.ts'
import { commandText } from '../../kubectl/command.ts'
import {
  Ago,
  Button,
  Choice,
  Empty,
  ErrorPanel,
  Grid,
  KubectlCommand,
  Loading,
  Page,
  SearchInput,
  showToast,
  type GridColumn,
} from '../../ui/index.ts'
import { GrantsSummary, SignInBadge, TypeBadge } from './account-badges.tsx'
import { CreateAccount } from './create-account.tsx'
import { accountsQuery } from './queries.ts'
import '../../styles/access.css'

const route = getRouteApi('/app/access')
const nameOf = ({ name }: Account) => name

/** People and scripts. */
export function AccessPage(): ReactNode {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const { q = '', type } = route.useSearch()
  const accounts = useQuery(accountsQuery)
  const [creating, setCreating] = useState(false)
  const rows = useMemo(
    () => (accounts.data ?? []).filter((account) => (type ?? account.type) === account.type && matches(account, q)),
    [accounts.data, q, type],
  )
  const search = (change: { readonly q?: string; readonly type?: Account['type'] | undefined }) => {
    const next = { q, type, ...change }
    void navigate({
      to: '/access',
      search: { ...(next.q !== '' && { q: next.q }), ...(next.type !== undefined && { type: next.type }) },
      replace: true,
    })
  }
  const columns = useMemo<readonly GridColumn<Account>[]>(
    () => [
      {
        key: 'name',
        header: t('common.name'),
        width: 'minmax(12rem, 1.2fr)',
        render: ({ name, displayName }) => (
          <>
            <Link to="/access/$name" params={{ name }} tabIndex={-1} className="k-account-name">
              {name}
            </Link>
            {displayName !== '' && displayName !== name && <span className="k-muted k-after">{displayName}</span>}
          </>
        ),
      },
      { key: 'type', header: t('access.typeOf'), width: '7rem', render: ({ type: is }) => <TypeBadge type={is} /> },
      {
        key: 'rights',
        header: t('access.rights'),
        width: 'minmax(12rem, 3fr)',
        render: ({ grants, others }) => <GrantsSummary grants={grants} others={others} />,
      },
      {
        key: 'signIn',
        header: t('access.signInState'),
        width: '9rem',
        render: ({ signIn }) => <SignInBadge signIn={signIn} />,
      },
      {
        key: 'last',
        header: t('access.lastSignIn'),
        width: '9rem',
        render: ({ lastSignInAt }) =>
          lastSignInAt === undefined ? (
            <span className="k-muted">{t('common.never')}</span>
          ) : (
            <Ago time={lastSignInAt} />
          ),
      },
    ],
    [t],
  )
  const open = (name: string) => void navigate({ to: '/access/$name', params: { name } })
  return (
    <Page
      title={t('access.title')}
      subtitle={t('access.subtitle')}
      fill={accounts.isSuccess}
      actions={
        accounts.isSuccess && (
          <Button variant="primary" icon={<IconUserPlus aria-hidden size={18} />} onClick={() => setCreating(true)}>
            {t('access.create')}
          </Button>
        )
      }
    >
      {accounts.isPending && <Loading />}
      {accounts.isError && <ErrorPanel error={accounts.error} onRetry={() => void accounts.refetch()} />}
      {accounts.isSuccess && (
        <>
          <div className="k-row">
            <SearchInput label={t('access.search')} value={q} onChange={(value) => search({ q: value })} />
            <Choice
              legend={t('access.typeOf')}
              legendHidden
              look="segments"
              value={type ?? 'All'}
              options={(['All', 'Person', 'Script'] as const).map((value) => ({
                value,
                label: value === 'All' ? t('common.all') : t(`access.types.${value}`),
              }))}
              onChange={(value) => search({ type: value === 'All' ? undefined : value })}
            />
            <span className="k-muted" aria-live="polite">
              {t('common.rowsShown', { shown: rows.length, total: accounts.data.length })}
            </span>
          </div>
          {rows.length === 0 ? (
            <Empty
              icon={IconUserOff}
              title={t('access.noneTitle')}
              action={<Button onClick={() => search({ q: '', type: undefined })}>{t('common.clearAll')}</Button>}
            >
              {t('access.noneText')}
            </Empty>
          ) : (
            <Grid
              label={t('access.title')}
              rows={rows}
              rowKey={nameOf}
              columns={columns}
              onOpen={({ name }) => open(name)}
            />
          )}
          <KubectlCommand command={commandText(listAccountsCommand())} />
        </>
      )}
      {creating && (
        <CreateAccount
          onClose={() => setCreating(false)}
          onCreated={({ name }) => {
            showToast(t('access.created', { name }))
            open(name)
          }}
        />
      )}
    </Page>
  )
}

function matches({ name, displayName, grants }: Account, text: string): boolean {
  const wanted = text.trim().toLowerCase()
  const words = [
    name,
    displayName,
    ...grants.map((grant) => (grant.kind === 'Role' ? grant.role : grant.hosts.join(' '))),
  ]
  return words.some((word) => word.toLowerCase().includes(wanted))
}
