import { IconKey, IconPlus } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { revokeToken, type Token } from '../../../protocol/access.ts'
import { call } from '../../call.ts'
import { revokeTokenCommand } from '../../kubectl/access.ts'
import { commandText } from '../../kubectl/command.ts'
import {
  Badge,
  Button,
  Card,
  ConfirmDialog,
  Empty,
  ErrorPanel,
  KubectlCommand,
  Loading,
  Moment,
  ProblemNotice,
  showToast,
  Table,
  type TableColumn,
} from '../../ui/index.ts'
import { useNow } from '../../time/use-now.ts'
import { CreateToken } from './create-token.tsx'
import { tokensQuery } from './queries.ts'

/** Tokens of an account for use outside the console. */
export function TokensCard({ name }: { readonly name: string }): ReactNode {
  const { t } = useTranslation()
  const tokens = useQuery(tokensQuery(name))
  const [creating, setCreating] = useState(false)
  const [revoking, setRevoking] = useState<string>()
  const now = useNow(60_000)
  const columns: readonly TableColumn<Token>[] = [
    { key: 'name', header: t('common.name'), render: (token) => <code>{token.name}</code> },
    { key: 'type', header: t('access.typeOf'), render: ({ type }) => t(`access.token.${type}`) },
    { key: 'created', header: t('access.createdAt'), render: ({ createdAt }) => <Moment time={createdAt} /> },
    { key: 'expires', header: t('access.token.expires'), render: (token) => <Expiry token={token} now={now} /> },
    {
      key: 'actions',
      header: <span className="visually-hidden">{t('common.actions')}</span>,
      narrow: true,
      align: 'end',
      render: (token) => (
        <Button
          size="small"
          aria-label={t('access.token.revokeThis', { name: token.name })}
          onClick={() => setRevoking(token.name)}
        >
          {t('access.token.revoke')}
        </Button>
      ),
    },
  ]
  return (
    <>
      <Card
        title={t('access.token.title')}
        subtitle={t('access.token.hint')}
        flush
        actions={
          tokens.isSuccess && (
            <Button icon={<IconPlus aria-hidden size={16} />} onClick={() => setCreating(true)}>
              {t('access.token.create')}
            </Button>
          )
        }
      >
        {tokens.isPending && <Loading lines={2} />}
        {tokens.isError && <ErrorPanel error={tokens.error} onRetry={() => void tokens.refetch()} />}
        {tokens.data?.length === 0 && (
          <Empty icon={IconKey} title={t('access.token.none')}>
            {t('access.token.noneText')}
          </Empty>
        )}
        {tokens.data !== undefined && tokens.data.length > 0 && (
          <Table
            label={t('access.token.list', { name })}
            columns={columns}
            rows={tokens.data}
            rowKey={(token) => token.name}
          />
        )}
      </Card>
      {creating && <CreateToken name={name} onClose={() => setCreating(false)} />}
      {revoking !== undefined && <RevokeDialog name={name} token={revoking} onClose={() => setRevoking(undefined)} />}
    </>
  )
}

function Expiry({ token: { expiresAt }, now }: { readonly token: Token; readonly now: number }): ReactNode {
  const { t } = useTranslation()
  if (expiresAt === undefined) return <Badge tone="warning">{t('access.token.endless')}</Badge>
  if (Date.parse(expiresAt) < now) return <Badge>{t('access.token.over')}</Badge>
  return <Moment time={expiresAt} />
}

interface RevokeDialogProps {
  readonly name: string
  readonly token: string
  readonly onClose: () => void
}

function RevokeDialog({ name, token, onClose }: RevokeDialogProps): ReactNode {
  const { t } = useTranslation()
  const client = useQueryClient()
  const revoke = useMutation({
    mutationFn: () => call(revokeToken, { params: { name, token } }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: tokensQuery(name).queryKey })
      showToast(t('access.token.revoked', { name: token }))
      onClose()
    },
  })
  return (
    <ConfirmDialog
      open
      title={t('access.token.revokeTitle', { name: token })}
      confirm={t('access.token.revoke')}
      variant="danger"
      busy={revoke.isPending}
      onConfirm={() => revoke.mutate()}
      onClose={onClose}
    >
      <div className="k-stack">
        <p className="k-flush">{t('access.token.revokeText')}</p>
        <ProblemNotice error={revoke.error} />
        <KubectlCommand command={commandText(revokeTokenCommand(token))} />
      </div>
    </ConfirmDialog>
  )
}
