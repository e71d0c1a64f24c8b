import { IconSend } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { listHostHistory, type HostHistory } from '../../../protocol/hosts.ts'
import { call } from '../../call.ts'
import { useRequests } from '../../live/use-live.ts'
import {
  Ago,
  Card,
  Empty,
  ErrorPanel,
  Loading,
  OutcomeBadge,
  RunStateBadge,
  Table,
  type Outcome,
} from '../../ui/index.ts'

type Touch = HostHistory['requests'][number]

const outcomeOf: Readonly<Record<Touch['outcome'], Outcome>> = {
  Succeeded: 'succeeded',
  Failed: 'failed',
  Unknown: 'unknown',
  Skipped: 'skipped',
  Pending: 'pending',
  Untold: 'untold',
}

/** Requests that had the host as a target, with what came of them there. */
export function HistoryCard({ name }: { readonly name: string }): ReactNode {
  const { t } = useTranslation()
  const history = useQuery({
    queryKey: ['host-history', name],
    queryFn: ({ signal }) => call(listHostHistory, { params: { name } }, signal),
  })
  // Asked again where a request has come, gone or changed its state: what became of it on this host is not in the stream.
  const states = useRequests()
    .items.map(({ uid, state }) => `${uid} ${state}`)
    .join('\n')
  const client = useQueryClient()
  useEffect(() => {
    if (states !== '') void client.invalidateQueries({ queryKey: ['host-history', name] })
  }, [client, name, states])
  return (
    <Card flush title={t('host.history')} subtitle={t('host.historyHint')}>
      {history.isPending && <Loading />}
      {history.isError && <ErrorPanel error={history.error} onRetry={() => void history.refetch()} />}
      {history.isSuccess && history.data.requests.length === 0 && (
        <Empty icon={IconSend} title={t('host.noHistory')}>
          {t('host.noHistoryHint')}
        </Empty>
      )}
      {history.isSuccess && history.data.requests.length > 0 && <Touches touches={history.data.requests} />}
    </Card>
  )
}

function Touches({ touches }: { readonly touches: readonly Touch[] }): ReactNode {
  const { t } = useTranslation()
  return (
    <Table
      label={t('host.history')}
      rows={touches}
      rowKey={({ request }) => request.uid}
      columns={[
        {
          key: 'request',
          header: t('host.historyColumns.request'),
          render: ({ request: { namespace, name } }) => (
            <div className="k-cell-lines">
              <Link to="/requests/$namespace/$name" params={{ namespace, name }}>
                {name}
              </Link>
              <span className="k-muted">{namespace}</span>
            </div>
          ),
        },
        {
          key: 'what',
          header: t('host.historyColumns.what'),
          render: ({ request: { method, port, api } }) => (
            <span className="k-mono">
              {method} :{port}
              {api}
            </span>
          ),
        },
        {
          key: 'outcome',
          header: t('host.historyColumns.outcome'),
          narrow: true,
          render: ({ outcome, reason }) => (
            <span className="k-row">
              <OutcomeBadge outcome={outcomeOf[outcome]} />
              {reason}
            </span>
          ),
        },
        {
          key: 'run',
          header: t('host.historyColumns.run'),
          narrow: true,
          render: ({ request }) => <RunStateBadge state={request.state} />,
        },
        {
          key: 'when',
          header: t('host.historyColumns.when'),
          narrow: true,
          render: ({ request: { startTime, createdAt } }) => <Ago time={startTime ?? createdAt} />,
        },
      ]}
    />
  )
}
