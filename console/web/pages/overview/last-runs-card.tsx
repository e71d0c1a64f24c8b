import { IconSend } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useMemo, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useRequests } from '../../live/use-live.ts'
import { Ago, Badge, Card, Empty, Loading, NoPermission, OutcomeBar, RunStateBadge, Table } from '../../ui/index.ts'
import { lastRuns } from './summary.ts'

const shownRuns = 7

/** The newest requests, how far they are and how they ended. */
export function LastRunsCard(): ReactNode {
  const { t } = useTranslation()
  const { state, items, problem } = useRequests()
  const runs = useMemo(() => lastRuns(items, shownRuns), [items])
  const isHeld = state === 'Live' || state === 'Stale'
  return (
    <Card
      flush
      title={t('overview.runs')}
      actions={runs.length > 0 && <Link to="/requests">{t('overview.allRuns')}</Link>}
    >
      {state === 'Loading' && <Loading />}
      {state === 'Denied' && (
        <NoPermission needs="list hostrequests.keelson.dev" {...(problem && { error: problem })} />
      )}
      {isHeld && runs.length === 0 && (
        <Empty icon={IconSend} title={t('overview.noRuns')}>
          {t('overview.noRunsHint')}
        </Empty>
      )}
      {isHeld && runs.length > 0 && (
        <Table
          label={t('overview.runs')}
          rows={runs}
          rowKey={({ namespace, name }) => `${namespace}/${name}`}
          columns={[
            {
              key: 'request',
              header: t('overview.columns.request'),
              render: ({ namespace, name, dryRun, startTime }) => (
                <div className="k-cell-lines">
                  <Link to="/requests/$namespace/$name" params={{ namespace, name }}>
                    {name}
                  </Link>
                  <span className="k-muted">
                    {namespace} · {startTime === undefined ? t('overview.notBegun') : <Ago time={startTime} />}
                    {dryRun && <Badge tone="info">{t('overview.dryRun')}</Badge>}
                  </span>
                </div>
              ),
            },
            {
              key: 'progress',
              header: t('overview.columns.progress'),
              render: (row) => (
                <div className="k-run-progress">
                  <OutcomeBar label={t('overview.columns.progress')} counts={row.counts} />
                  <span className="k-muted k-moment">{row.progress}</span>
                </div>
              ),
            },
            {
              key: 'state',
              header: t('overview.columns.state'),
              narrow: true,
              render: (row) => <RunStateBadge state={row.state} />,
            },
          ]}
        />
      )}
    </Card>
  )
}
