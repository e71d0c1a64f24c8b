import type { Condition, HostRequestStatus } from '@keelson/api'
import { boundedText } from '../bounded-text.ts'
import { withTransitionTimes } from '../conditions.ts'
import { beginning } from '../runs/run-record.ts'
import { countsOf, statusRecordOf } from '../runs/status-record.ts'
import { detailOf, progressOf, verdictOf, type Refusal, type RunView, type Verdict } from './verdict.ts'

export type StatusContext = {
  readonly generation: number
  readonly run: Pick<HostRequestStatus['run'], 'id' | 'startTime' | 'targets'>
  readonly present: readonly Condition[] | undefined
  /** RFC 3339. */
  readonly now: string
}

const messageLimit = 1024
const conditionMessageLimit = 256
const failureLimit = 20

/** Nothing more comes of this generation. */
export function isFinal(state: HostRequestStatus['state']): boolean {
  return state === 'SUCCESS' || state === 'ERROR'
}

/** The status of a run, derived from its record and what is known of its targets. */
export function runStatus(view: RunView, context: StatusContext): HostRequestStatus {
  const { record, names } = view
  const failures = [...record.failed.union(record.unknown)].slice(0, failureLimit).map((index) => {
    const { reason, code, message } = detailOf(view, index)
    return { host: names[index]!, reason, ...(code === undefined ? {} : { code }), message }
  })
  const { run, ...sets } = statusRecordOf(record)
  const finishTime = view.finish === undefined ? {} : { finishTime: context.now }
  return {
    ...spoken(verdictOf(view), context),
    progress: progressOf(view),
    counts: countsOf(record, names.length),
    run: { ...context.run, ...finishTime, ...run },
    ...sets,
    failures,
  }
}

/** The status of a request of which nothing is sent to anybody. */
export function refusedStatus({ reason, msg }: Refusal, context: StatusContext): HostRequestStatus {
  const { run, ...sets } = statusRecordOf({ ...beginning, epoch: 0 })
  return {
    ...spoken({ state: 'ERROR', reason, msg }, context),
    progress: '0/0',
    counts: countsOf({ ...beginning, epoch: 0 }, 0),
    run: { ...context.run, finishTime: context.now, ...run },
    ...sets,
    failures: [],
  }
}

function spoken({ state, reason, msg }: Verdict, { generation, present, now }: StatusContext) {
  const finished = isFinal(state)
  const message = boundedText(msg, conditionMessageLimit)
  const condition = (type: string, holds: boolean) =>
    ({ type, status: holds ? 'True' : 'False', reason, message, observedGeneration: generation }) as const
  const wanted = [
    condition('Ready', state === 'SUCCESS'),
    condition('Reconciling', !finished),
    // Failed for good: a changed spec runs again, time alone does not.
    condition('Stalled', state === 'ERROR'),
    condition('Finished', finished),
  ]
  return {
    state,
    msg: boundedText(msg, messageLimit),
    observedGeneration: generation,
    conditions: withTransitionTimes(wanted, present, new Date(now)),
  }
}
