import { IconSend, IconServerOff } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useEffect, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { getHost } from '../../../protocol/hosts.ts'
import { call } from '../../call.ts'
import { useHosts } from '../../live/use-live.ts'
import { problemOf } from '../../problem-error.ts'
import { useMayCompose } from '../../session/session.ts'
import {
  Card,
  Empty,
  ErrorPanel,
  hostState,
  HostStateBadge,
  KubectlCommand,
  LinkButton,
  Loading,
  Page,
} from '../../ui/index.ts'
import { ConditionsCard } from './conditions-card.tsx'
import { FactsCard } from './facts-card.tsx'
import { HistoryCard } from './history-card.tsx'
import { PlaceCard } from './place-card.tsx'

const route = getRouteApi('/app/hosts/$name')

/** One host: its state and why, what it is, and what was done to it. */
export function HostPage(): ReactNode {
  const { t } = useTranslation()
  const { name } = route.useParams()
  const mayCompose = useMayCompose()
  const row = useHosts().items.find((each) => each.name === name)
  const host = useQuery({
    queryKey: ['host', name],
    queryFn: ({ signal }) => call(getHost, { params: { name } }, signal),
  })
  const client = useQueryClient()
  useEffect(() => {
    // The stream tells that it has changed, though not all that has.
    if (row !== undefined) void client.invalidateQueries({ queryKey: ['host', name] })
  }, [client, name, row])
  const missing = host.error !== null && problemOf(host.error).status === 404
  return (
    <Page
      title={name}
      badge={row !== undefined && <HostStateBadge state={hostState(row)} />}
      parent={<Link to="/hosts">{t('host.all')}</Link>}
      actions={
        mayCompose &&
        !missing && (
          // The page of a new request takes the names; its own route says how.
          <LinkButton to="/requests/new" search={{ hosts: [name] } as never} icon={<IconSend aria-hidden />}>
            {t('host.compose')}
          </LinkButton>
        )
      }
    >
      {host.isPending && (
        <Card>
          <Loading lines={8} />
        </Card>
      )}
      {missing && (
        <Card>
          <Empty icon={IconServerOff} title={t('host.missing', { name })}>
            {t('host.missingHint')}
          </Empty>
        </Card>
      )}
      {host.isError && !missing && host.data === undefined && (
        <Card>
          <ErrorPanel error={host.error} onRetry={() => void host.refetch()} />
        </Card>
      )}
      {host.data !== undefined && !missing && (
        <>
          <ConditionsCard conditions={host.data.status?.conditions ?? []} />
          <div className="k-columns">
            <FactsCard host={host.data} />
            <PlaceCard host={host.data} />
          </div>
          <HistoryCard name={name} />
          <KubectlCommand command={`kubectl get hosts.keelson.dev ${name} -o yaml`} />
        </>
      )}
    </Page>
  )
}
