import type { HostRequest } from '@keelson/api'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { selectorText } from '../../../request-form/selector-text.ts'
import { isFinished } from '../../../run/outcome.ts'
import { formatLength } from '../../../time/format.ts'
import { useNow } from '../../../time/use-now.ts'
import { Card, Facts, Moment, OutcomeBar, OutcomeBadge, type Outcome } from '../../../ui/index.ts'

/** How far the run is, in one look. */
export function SummaryCard({ request }: { readonly request: HostRequest }): ReactNode {
  const { t } = useTranslation()
  const { metadata, status } = request
  const counts = status?.counts ?? { targets: 0, succeeded: 0, failed: 0, unknown: 0, skipped: 0 }
  const pending = Math.max(0, counts.targets - counts.succeeded - counts.failed - counts.unknown - counts.skipped)
  const parts: readonly (readonly [Outcome, number])[] = [
    ['succeeded', counts.succeeded],
    ['failed', counts.failed],
    ['unknown', counts.unknown],
    ['skipped', counts.skipped],
    ['pending', pending],
  ]
  return (
    <Card>
      <div className="k-stack">
        <div className="k-summary">
          <span className="k-headline">{status?.progress ?? '–'}</span>
          <ul className="k-legend-list">
            {parts
              .filter(([, count]) => count > 0)
              .map(([outcome, count]) => (
                <li key={outcome}>
                  <OutcomeBadge outcome={outcome} />{' '}
                  <span className="k-strong">{t('common.counts.hosts', { count })}</span>
                </li>
              ))}
          </ul>
        </div>
        {counts.targets > 0 && (
          <OutcomeBar large counts={counts} label={t('requests.progressOf', { name: metadata.name })} />
        )}
        {/* Announced at the end alone: a run under way says something each second. */}
        <p className="k-flat k-message" role={isFinished(request) ? 'status' : undefined}>
          {status?.msg ?? t('run.details.noConditions')}
        </p>
        <Times request={request} />
      </div>
    </Card>
  )
}

function Times({ request }: { readonly request: HostRequest }): ReactNode {
  const { t, i18n } = useTranslation()
  const now = useNow(1_000)
  const { spec, status } = request
  const { startTime, finishTime, round = 0 } = status?.run ?? {}
  const start = startTime === undefined ? undefined : Date.parse(startTime)
  const end = finishTime === undefined ? now : Date.parse(finishTime)
  const deadline = start === undefined ? undefined : new Date(start + spec.activeDeadlineSeconds * 1_000).toISOString()
  const selector = selectorText(spec.hostSelector ?? {})
  const hosts = [
    spec.workers.length === 0 ? t('run.everyHost') : t('run.named', { count: spec.workers.length }),
    ...(selector === '' ? [] : [selector]),
    ...(spec.http.targetType === 'All' ? [] : [t(`common.role.${spec.http.targetType}`)]),
  ]
  return (
    <Facts
      items={[
        [t('run.hosts'), hosts.join(' · ')],
        ...(startTime === undefined ? [] : [[t('run.started'), <Moment key="start" time={startTime} />] as const]),
        ...(finishTime === undefined ? [] : [[t('run.finished'), <Moment key="finish" time={finishTime} />] as const]),
        ...(start === undefined
          ? []
          : [
              [
                finishTime === undefined ? t('run.runningFor') : t('run.took'),
                formatLength((end - start) / 1_000, i18n.language),
              ] as const,
            ]),
        ...(deadline === undefined || finishTime !== undefined
          ? []
          : [[t('run.deadline'), <Moment key="deadline" time={deadline} />] as const]),
        ...(round === 0 ? [] : [[t('run.round'), t('run.roundOf', { round, rounds: spec.retry.limit })] as const]),
      ]}
    />
  )
}
