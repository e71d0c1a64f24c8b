import type { Condition, HostRequestStatus } from '@keelson/api'
import { withTransitionTimes } from '../conditions.ts'
import { boundedText } from '../bounded-text.ts'
import type { Outcome, Unsuccessful } from './outcome.ts'
import type { Skipped, Targets } from './targets.ts'

/** A run as far as it is known; everything in the status is derived from it. */
export type RunProgress = {
  readonly targets: Targets
  /** In whatever order they came. */
  readonly outcomes: readonly Outcome[]
  /** Ended: there is an outcome for each target. */
  readonly ended: boolean
}

export type Verdict = {
  readonly state: HostRequestStatus['state']
  /** For programs: the reason of the conditions. */
  readonly reason: string
  readonly msg: string
  readonly counts: HostRequestStatus['counts']
  readonly failures: HostRequestStatus['failures']
}

const messageLimit = 1024
const failureLimit = 20
const failureMessageLimit = 256
const noCounts = { targets: 0, succeeded: 0, failed: 0, unknown: 0, skipped: 0 }

/** What is said of a run that never began, because nothing may or can be sent. */
export function refusedVerdict(
  reason: string,
  msg: string,
  counts: Partial<HostRequestStatus['counts']> = {},
): Verdict {
  return {
    state: 'ERROR',
    reason,
    msg: boundedText(msg, messageLimit),
    counts: { ...noCounts, ...counts },
    failures: [],
  }
}

/** What is said of a run, under way or ended. */
export function verdictOf({ targets, outcomes, ended }: RunProgress): Verdict {
  const unsuccessful = outcomes
    .filter((outcome) => outcome.outcome !== 'succeeded')
    .toSorted((a, b) => (a.host < b.host ? -1 : 1))
  const online = targets.online.length
  const succeeded = outcomes.length - unsuccessful.length
  const failed = unsuccessful.filter(({ outcome }) => outcome === 'failed').length
  const counts = {
    targets: online + targets.skipped.length,
    succeeded,
    failed,
    unknown: unsuccessful.length - failed,
    skipped: targets.skipped.length,
  }
  const said = [
    `${succeeded}/${online} hosts answered`,
    ...unsuccessfulGroups(unsuccessful),
    ...skippedGroups(targets.skipped),
  ].join('; ')
  const failures = unsuccessful.slice(0, failureLimit).map(({ host, reason, code, message }) => ({
    host,
    reason,
    ...(code === undefined ? {} : { code }),
    message: boundedText(message, failureMessageLimit),
  }))
  const [state, reason] = !ended
    ? (['RUNNING', 'Running'] as const)
    : unsuccessful.length > 0
      ? (['ERROR', 'HostsFailed'] as const)
      : (['SUCCESS', 'Succeeded'] as const)
  return { state, reason, msg: boundedText(said, messageLimit), counts, failures }
}

/** `failed: worker-2 (HTTP 500)`; equal causes once, with up to three hosts, the most frequent first. */
function unsuccessfulGroups(unsuccessful: readonly Unsuccessful[]): string[] {
  const groups = Map.groupBy(unsuccessful, ({ outcome, message }) => `${outcome} ${message}`)
  return [...groups.values()]
    .toSorted((a, b) => b.length - a.length)
    .map((group) => `${group[0]!.outcome}: ${names(group)} (${group[0]!.message})`)
}

/** `skipped: node3 (offline)`. */
export function skippedGroups(skipped: readonly Skipped[]): string[] {
  const words = { Offline: 'offline', NotTargeted: 'not targeted' } as const
  return [...Map.groupBy(skipped, ({ reason }) => reason)].map(
    ([reason, hosts]) => `skipped: ${names(hosts)} (${words[reason]})`,
  )
}

export function names(hosts: readonly { readonly host: string }[], shown = 3): string {
  const more = hosts.length - shown
  const first = hosts.slice(0, shown).map(({ host }) => host)
  return first.join(', ') + (more > 0 ? ` and ${more} more` : '')
}

export type StatusContext = {
  readonly generation: number
  readonly run: HostRequestStatus['run']
  readonly present: readonly Condition[] | undefined
  readonly now: Date
}

/** Nothing more comes of this generation. */
export function isFinal(state: HostRequestStatus['state']): boolean {
  return state === 'SUCCESS' || state === 'ERROR'
}

export function statusOf(verdict: Verdict, { generation, run, present, now }: StatusContext): HostRequestStatus {
  const { state, reason, msg, counts, failures } = verdict
  const finished = isFinal(state)
  const condition = (type: string, holds: boolean) =>
    ({ type, status: holds ? 'True' : 'False', reason, message: msg, observedGeneration: generation }) as const
  return {
    state,
    msg,
    progress: `${counts.succeeded}/${counts.targets - counts.skipped}`,
    observedGeneration: generation,
    counts,
    run,
    failures,
    conditions: withTransitionTimes(
      [
        condition('Ready', state === 'SUCCESS'),
        condition('Reconciling', !finished),
        // Failed for good: a changed spec runs again, time alone does not.
        condition('Stalled', state === 'ERROR'),
        condition('Finished', finished),
      ],
      present,
      now,
    ),
  }
}
