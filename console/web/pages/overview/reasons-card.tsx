import { IconCircleCheck } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useMemo, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useRequests } from '../../live/use-live.ts'
import { Card, Empty, Loading, NoPermission, Table } from '../../ui/index.ts'
import { failureReasons } from './summary.ts'

const newestRequests = 20
const shownReasons = 6

/** Why hosts failed in the newest requests. */
export function ReasonsCard(): ReactNode {
  const { t, i18n } = useTranslation()
  const { state, items, problem } = useRequests()
  const reasons = useMemo(() => failureReasons(items, newestRequests, shownReasons), [items])
  const numbers = new Intl.NumberFormat(i18n.language)
  const isHeld = state === 'Live' || state === 'Stale'
  return (
    <Card
      flush
      title={t('overview.reasons')}
      {...(reasons.length > 0 && { subtitle: t('overview.reasonsHint', { count: newestRequests }) })}
    >
      {state === 'Loading' && <Loading />}
      {state === 'Denied' && (
        <NoPermission needs="list hostrequests.keelson.dev" {...(problem && { error: problem })} />
      )}
      {isHeld && reasons.length === 0 && (
        <Empty icon={IconCircleCheck} title={t('overview.reasonsNone')}>
          {t('overview.reasonsNoneHint')}
        </Empty>
      )}
      {isHeld && reasons.length > 0 && (
        <Table
          label={t('overview.reasons')}
          rows={reasons}
          rowKey={({ reason }) => reason}
          columns={[
            {
              key: 'reason',
              header: t('overview.columns.reason'),
              render: ({ reason, message }) => (
                <div className="k-cell-lines">
                  <span>{reason}</span>
                  <span className="k-muted">{message}</span>
                </div>
              ),
            },
            {
              key: 'hosts',
              header: t('overview.columns.hosts'),
              align: 'end',
              narrow: true,
              render: ({ count }) => numbers.format(count),
            },
            {
              key: 'where',
              header: t('overview.columns.where'),
              narrow: true,
              render: ({ request: { namespace, name } }) => (
                <Link to="/requests/$namespace/$name" params={{ namespace, name }} className="k-cut">
                  {name}
                </Link>
              ),
            },
          ]}
        />
      )}
    </Card>
  )
}
