import type { Condition, HostRequestStatus } from '@keelson/api'
import { boundedText } from '../bounded-text.ts'
import { withTransitionTimes } from '../conditions.ts'
import { beginning, recovered } from '../runs/run-record.ts'
import { countsOf, recordOf, statusRecordOf } from '../runs/status-record.ts'
import { policyMissing } from '../authorisation/request-policies.ts'
import { fitted } from './fit-status.ts'
import { answerGroups, detailOf, failureGroups, type RunView } from './run-view.ts'
import { otherReason } from './told.ts'
import { otherMessage, progressOf, verdictOf, type Refusal, type Verdict } from './verdict.ts'

export type StatusContext = {
  readonly generation: number
  readonly run: Pick<HostRequestStatus['run'], 'id' | 'specDigest' | 'secretsDigest' | 'startTime' | 'targets'>
  readonly present: readonly Condition[] | undefined
  /** Runs before this one, the last one first. */
  readonly history: HostRequestStatus['history']
  /** RFC 3339. */
  readonly now: string
}

type Told = { readonly reason: string; readonly code?: number; readonly message: string }

const messageLimit = 1024
const conditionMessageLimit = 256
const failureLimit = 20

/** Nothing more comes of this generation. */
export function isFinal(state: HostRequestStatus['state']): boolean {
  return state === 'SUCCESS' || state === 'ERROR'
}

/** The status of a run, derived from its record and what is known of its targets. */
export function runStatus(view: RunView, context: StatusContext): HostRequestStatus {
  return statusOf(verdictOf(view), view, context)
}

/** The same, with another verdict. */
export function statusOf(verdict: Verdict, view: RunView, context: StatusContext): HostRequestStatus {
  const { record, names } = view
  const withCode = (code: number | undefined) => (code === undefined ? {} : { code })
  const failures = [...record.failed.union(record.unknown)].slice(0, failureLimit).map((index) => {
    const { reason, code, message } = detailOf(view, index)
    return { host: names[index]!, reason, ...withCode(code), message }
  })
  const { run, ...sets } = statusRecordOf(record)
  const finishTime = view.word?.kind === 'finished' ? { finishTime: context.now } : {}
  return fitted({
    ...spoken(verdict, context),
    progress: progressOf(view),
    counts: countsOf(record, names.length),
    run: { ...context.run, ...finishTime, ...run },
    ...sets,
    failures,
    failureGroups: failureGroups(view).map(({ kind, count, sample }) => {
      const { reason, code, message }: Told = kind ?? { reason: otherReason, message: otherMessage }
      return { reason, ...withCode(code), message, count, sample: [...sample] }
    }),
    answers: answerGroups(view).map(({ kind, count, sample }) => ({ ...kind, count, sample: [...sample] })),
    history: context.history,
  })
}

/** The status of a request of which nothing is sent to anybody. */
export function refusedStatus({ reason, msg }: Refusal, context: StatusContext): HostRequestStatus {
  const { run, ...rest } = emptyStatus({ state: 'ERROR', reason, msg }, context)
  return { ...rest, run: { ...run, finishTime: context.now } }
}

/** The status of a request that was suspended before it began. Its targets are chosen when it begins, and its time runs from then on. */
export function suspendedStatus(context: StatusContext): HostRequestStatus {
  const { run, ...rest } = emptyStatus({ state: 'PAUSED', reason: 'Suspended', msg: 'suspended, not begun' }, context)
  const { startTime: _, ...notBegun } = run
  return { ...rest, run: notBegun }
}

/** The same status, as one that is about another generation too: one that changed nothing but how a run is steered. */
export function observedAt(status: HostRequestStatus, generation: number): HostRequestStatus {
  const conditions = status.conditions.map((condition) => ({ ...condition, observedGeneration: generation }))
  return { ...status, observedGeneration: generation, conditions }
}

function emptyStatus(verdict: Verdict, context: StatusContext): HostRequestStatus {
  const record = { ...beginning, epoch: 0 }
  const { run, ...sets } = statusRecordOf(record)
  return {
    ...spoken(verdict, context),
    progress: '0/0',
    counts: countsOf(record, 0),
    run: { ...context.run, ...run },
    ...sets,
    ...{ failures: [], failureGroups: [], answers: [], history: context.history },
  }
}

/** The run has begun, and nothing is sent until the policy is in place again. */
export function isHeldUp({ state, conditions }: HostRequestStatus): boolean {
  return state === 'PAUSED' && conditions.some(({ type, reason }) => type === 'Stalled' && reason === policyMissing)
}

/** The status of a run that is held up: its record as it is. Whoever carries it on says otherwise with his first word. */
export function heldUpStatus(status: HostRequestStatus, why: Refusal, context: StatusContext): HostRequestStatus {
  return { ...status, ...spoken({ ...why, state: 'PAUSED' }, context) }
}

/** The status of a run that nobody can carry on any more: what it had claimed is unknown, and who was not sent to stays in no set. */
export function brokenStatus(status: HostRequestStatus, why: Refusal, context: StatusContext): HostRequestStatus {
  const record = recovered(recordOf(status), status.run.epoch, 'Fail')
  const { run, ...sets } = statusRecordOf(record)
  return {
    ...{ ...status, ...spoken({ ...why, state: 'ERROR' }, context), ...sets },
    counts: countsOf(record, status.counts.targets),
    run: { ...status.run, ...run, finishTime: context.now },
  }
}

function spoken({ state, reason, msg }: Verdict, { generation, present, now }: StatusContext) {
  const finished = isFinal(state)
  const message = boundedText(msg, conditionMessageLimit)
  const condition = (type: string, holds: boolean) =>
    ({ type, status: holds ? 'True' : 'False', reason, message, observedGeneration: generation }) as const
  const wanted = [
    condition('Ready', state === 'SUCCESS'),
    condition('Reconciling', !finished && state !== 'PAUSED'),
    // It takes a person to get any further: time alone does not. Whoever suspends a request knows that, and is not to be called.
    condition('Stalled', state === 'ERROR' || (state === 'PAUSED' && reason !== 'Suspended')),
    condition('Finished', finished),
  ]
  return {
    state,
    msg: boundedText(msg, messageLimit),
    observedGeneration: generation,
    conditions: withTransitionTimes(wanted, present, new Date(now)),
  }
}
