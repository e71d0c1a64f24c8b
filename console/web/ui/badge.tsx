import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconClock,
  IconHelpCircle,
  IconPlayerPause,
  IconPlayerSkipForward,
  IconPlugConnectedX,
  IconProgress,
  type TablerIcon,
} from '@tabler/icons-react'
import type { TFunction } from 'i18next'
import type { ReactElement, ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { RequestRow } from '../../protocol/requests.ts'
import type { HostState } from './host-state.ts'

export type Tone = 'neutral' | 'good' | 'bad' | 'warning' | 'info' | 'busy'

const toneClasses: Readonly<Record<Tone, string>> = {
  neutral: 'k-badge k-tone-neutral',
  good: 'k-badge k-tone-good',
  bad: 'k-badge k-tone-bad',
  warning: 'k-badge k-tone-warning',
  info: 'k-badge k-tone-info',
  busy: 'k-badge k-tone-busy',
}

interface BadgeProps {
  readonly tone?: Tone
  /** A state needs one: nothing may be told by colour alone. */
  readonly icon?: TablerIcon
  readonly title?: string
  readonly children: ReactNode
}

export function Badge({ tone = 'neutral', icon: Icon, title, children }: BadgeProps): ReactNode {
  return (
    <span className={toneClasses[tone]} title={title}>
      {Icon !== undefined && <Icon aria-hidden size={14} stroke={2} />}
      {children}
    </span>
  )
}

type Look = readonly [Tone, TablerIcon]

const hostLooks: Readonly<Record<HostState, Look>> = {
  Ready: ['good', IconCircleCheck],
  NotReady: ['bad', IconAlertTriangle],
  Offline: ['warning', IconPlugConnectedX],
  Unknown: ['neutral', IconHelpCircle],
}

/** State of a host in a word and a sign. */
export function HostStateBadge({ state }: { readonly state: HostState }): ReactNode {
  const { t } = useTranslation()
  return hostStateBadge(t, state)
}

/** The same for the cells of a grid: a hook in each of them is what scrolling would cost most. */
export function hostStateBadge(t: TFunction, state: HostState): ReactElement {
  const [tone, icon] = hostLooks[state]
  return (
    <Badge tone={tone} icon={icon} title={t(`common.hostExplained.${state}`)}>
      {t(`common.host.${state}`)}
    </Badge>
  )
}

const runLooks: Readonly<Record<RequestRow['state'], Look>> = {
  PENDING: ['neutral', IconClock],
  RUNNING: ['busy', IconProgress],
  PAUSED: ['warning', IconPlayerPause],
  SUCCESS: ['good', IconCircleCheck],
  ERROR: ['bad', IconCircleX],
}

/** State of a HostRequest in a word and a sign. */
export function RunStateBadge({ state }: { readonly state: RequestRow['state'] }): ReactNode {
  const { t } = useTranslation()
  const [tone, icon] = runLooks[state]
  return (
    <Badge tone={tone} icon={icon}>
      {t(`common.run.${state}`)}
    </Badge>
  )
}

export type Outcome = 'succeeded' | 'failed' | 'unknown' | 'skipped' | 'pending' | 'untold'

const outcomeLooks: Readonly<Record<Outcome, Look>> = {
  succeeded: ['good', IconCircleCheck],
  failed: ['bad', IconCircleX],
  unknown: ['warning', IconHelpCircle],
  skipped: ['neutral', IconPlayerSkipForward],
  pending: ['neutral', IconClock],
  untold: ['neutral', IconCircleDashed],
}

/** What came of a request on one host, in a word and a sign. */
export function OutcomeBadge({ outcome }: { readonly outcome: Outcome }): ReactNode {
  const { t } = useTranslation()
  const [tone, icon] = outcomeLooks[outcome]
  return (
    <Badge tone={tone} icon={icon}>
      {t(`common.outcome.${outcome}`)}
    </Badge>
  )
}
