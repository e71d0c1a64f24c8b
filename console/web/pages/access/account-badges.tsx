import { IconCircleCheck, IconCircleOff, IconKeyOff, IconRobot, IconUser } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Account, Grant } from '../../../protocol/access.ts'
import { Badge } from '../../ui/index.ts'

export function TypeBadge({ type }: Pick<Account, 'type'>): ReactNode {
  const { t } = useTranslation()
  return <Badge icon={type === 'Person' ? IconUser : IconRobot}>{t(`access.type.${type}`)}</Badge>
}

const looks = {
  Enabled: ['good', IconCircleCheck],
  Disabled: ['warning', IconCircleOff],
  Never: ['neutral', IconKeyOff],
} as const

export function SignInBadge({ signIn }: Pick<Account, 'signIn'>): ReactNode {
  const { t } = useTranslation()
  const [tone, icon] = looks[signIn]
  return (
    <Badge tone={tone} icon={icon}>
      {t(`access.signIn.${signIn}`)}
    </Badge>
  )
}

/** What an account may, in a few words; bindings from elsewhere are counted. */
export function GrantsSummary({ grants, others }: Pick<Account, 'grants' | 'others'>): ReactNode {
  const { t } = useTranslation()
  if (grants.length + others.length === 0) return <span className="k-muted">{t('access.noRights')}</span>
  return (
    <span className="k-grant-list">
      {grants.map((grant) => (
        <GrantBadge key={JSON.stringify(grant)} grant={grant} />
      ))}
      {others.length > 0 && <Badge tone="warning">{t('access.othersCount', { count: others.length })}</Badge>}
    </span>
  )
}

function GrantBadge({ grant }: { readonly grant: Grant }): ReactNode {
  const { t } = useTranslation()
  if (grant.kind === 'Role') {
    const { role, namespaces } = grant
    return (
      <Badge tone={role === 'keelson-access' ? 'warning' : 'info'} title={namespaces.join(', ')}>
        {namespaces.length === 0 ? role : t('access.roleWithin', { role, count: namespaces.length })}
      </Badge>
    )
  }
  const { hosts, areas, access } = grant
  const what = `${areas.join(', ')} (${access === 'Get' ? 'GET' : t('access.allMethods')})`
  return (
    <Badge tone="info" title={hosts.join(', ')}>
      {hosts.length === 0 ? t('access.onEveryHost', { what }) : t('access.onHosts', { what, count: hosts.length })}
    </Badge>
  )
}
