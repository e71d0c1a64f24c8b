import { IconUserOff } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Account } from '../../../protocol/access.ts'
import { userNameOf } from '../../../protocol/account-names.ts'
import { problemOf } from '../../problem-error.ts'
import { useMe } from '../../session/session.ts'
import { Ago, Card, Empty, ErrorPanel, Facts, LinkButton, Loading, Moment, Page } from '../../ui/index.ts'
import { SignInBadge, TypeBadge } from './account-badges.tsx'
import { DeleteCard } from './delete-card.tsx'
import { accountQuery } from './queries.ts'
import { RightsCard } from './rights-card.tsx'
import { SignInCard } from './sign-in-card.tsx'
import { TokensCard } from './tokens-card.tsx'
import '../../styles/access.css'

const route = getRouteApi('/app/access/$name')

/** One person or script: rights, sign-in, tokens. */
export function AccountPage(): ReactNode {
  const { t } = useTranslation()
  const { name } = route.useParams()
  const account = useQuery(accountQuery(name))
  const gone = account.isError && problemOf(account.error).code === 'AccountNotFound'
  return (
    <Page
      title={name}
      parent={<Link to="/access">{t('access.title')}</Link>}
      badge={account.data !== undefined && <TypeBadge type={account.data.type} />}
      subtitle={account.data?.displayName}
    >
      {account.isPending && <Loading />}
      {gone && (
        <Empty
          icon={IconUserOff}
          title={t('access.gone', { name })}
          action={<LinkButton to="/access">{t('access.toList')}</LinkButton>}
        >
          {t('access.goneText')}
        </Empty>
      )}
      {account.isError && !gone && <ErrorPanel error={account.error} onRetry={() => void account.refetch()} />}
      {account.data !== undefined && !gone && <AccountCards key={name} account={account.data} />}
    </Page>
  )
}

function AccountCards({ account }: { readonly account: Account }): ReactNode {
  const { t } = useTranslation()
  const own = useMe().name === account.name
  return (
    <>
      <Card title={t('common.details')}>
        <Facts
          items={[
            [t('access.userName'), <code key="user">{userNameOf(account.name)}</code>],
            [t('access.createdAt'), <Moment key="created" time={account.createdAt} />],
            [t('access.signInState'), <SignInBadge key="state" signIn={account.signIn} />],
            [
              t('access.lastSignIn'),
              account.lastSignInAt === undefined ? t('common.never') : <Ago key="last" time={account.lastSignInAt} />,
            ],
          ]}
        />
      </Card>
      <RightsCard account={account} />
      {account.type === 'Person' && <SignInCard account={account} own={own} />}
      <TokensCard name={account.name} />
      {!own && <DeleteCard account={account} />}
    </>
  )
}
