import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { RequestRow } from '../../protocol/requests.ts'

interface Segment {
  readonly key: string
  readonly label: string
  readonly value: number
  readonly tone: 'good' | 'bad' | 'warning' | 'neutral' | 'busy' | 'rest'
}

const toneClasses: Readonly<Record<Segment['tone'], string>> = {
  good: 'k-bar-segment k-bar-good',
  bad: 'k-bar-segment k-bar-bad',
  warning: 'k-bar-segment k-bar-warning',
  neutral: 'k-bar-segment k-bar-neutral',
  busy: 'k-bar-segment k-bar-busy',
  rest: 'k-bar-segment k-bar-rest',
}

interface BarProps {
  /** What the bar is about, for screen readers; its parts are told after it. */
  readonly label: string
  readonly segments: readonly Segment[]
  readonly large?: boolean
}

/** Parts of a whole in one bar. Whoever does not see colours reads the parts: in the label, and in the legend that belongs beside it. */
export function Bar({ label, segments, large }: BarProps): ReactNode {
  const shown = segments.filter(({ value }) => value > 0)
  const parts = shown.filter(({ tone }) => tone !== 'rest').map((segment) => segment.label)
  return (
    <div
      className={large === true ? 'k-bar k-bar-large' : 'k-bar'}
      role="img"
      aria-label={[label, ...parts].join(', ')}
    >
      {shown.map(({ key, label: title, value, tone }) => (
        <span key={key} className={toneClasses[tone]} style={{ flexGrow: value }} title={title} />
      ))}
    </div>
  )
}

/** Outcomes of a run, of all its targets. */
export function OutcomeBar({
  counts,
  label,
  large,
}: Pick<BarProps, 'label' | 'large'> & Pick<RequestRow, 'counts'>): ReactNode {
  const { t } = useTranslation()
  const { targets, succeeded, failed, unknown, skipped } = counts
  const pending = Math.max(0, targets - succeeded - failed - unknown - skipped)
  return (
    <Bar
      label={label}
      {...(large === undefined ? {} : { large })}
      segments={[
        { key: 'succeeded', tone: 'good', value: succeeded, label: t('common.counts.succeeded', { count: succeeded }) },
        { key: 'failed', tone: 'bad', value: failed, label: t('common.counts.failed', { count: failed }) },
        { key: 'unknown', tone: 'warning', value: unknown, label: t('common.counts.unknown', { count: unknown }) },
        { key: 'skipped', tone: 'neutral', value: skipped, label: t('common.counts.skipped', { count: skipped }) },
        { key: 'pending', tone: 'rest', value: pending, label: t('common.counts.pending', { count: pending }) },
      ]}
    />
  )
}
