import { IndexSet } from './index-set.ts'
import { settled, type RunRecord } from './run-record.ts'

export type RunPolicy = {
  /** All targets in the order in which they are sent to: canaries first. */
  readonly order: readonly number[]
  /** How many of `order` have been reached at the end of each wave; rises, and the last is all of them. */
  readonly waves: readonly number[]
  /** How many targets are sent to between two writes of the record. */
  readonly window: number
  /** More failed and unknown targets than this stop the run. */
  readonly maxFailures: number
  readonly onFailure: 'Stop' | 'Continue'
  readonly onOffline: 'Skip' | 'Wait' | 'Try'
  /** Passes over the failed targets of a wave. */
  readonly retryLimit: number
}

export type Decision =
  /** Send to these, and write down that those are skipped. One of the two may be empty. */
  | { readonly kind: 'send'; readonly window: IndexSet; readonly skip: IndexSet }
  /** Go on with this record, after a pause that grows with the round. */
  | { readonly kind: 'retry'; readonly record: RunRecord }
  /** Go on with this record. */
  | { readonly kind: 'nextWave'; readonly record: RunRecord }
  /** Targets are offline and are waited for; ask again when one is back. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'finish'; readonly reason: FinishReason }

export type FinishReason = 'Done' | 'WaveFailed' | 'TooManyFailures' | 'DeadlineExceeded'

export type Circumstances = {
  readonly isOffline: (index: number) => boolean
  /** The time for the whole run is over. */
  readonly isExpired: () => boolean
}

/** What is to be done next in a run. Pure: the record and the world as it is now are all it knows. */
export function decide(record: RunRecord, policy: RunPolicy, { isOffline, isExpired }: Circumstances): Decision {
  if (record.failed.size + record.unknown.size > policy.maxFailures)
    return { kind: 'finish', reason: 'TooManyFailures' }
  const reached = policy.order.slice(0, policy.waves[record.wave])
  const done = settled(record)
  const open = reached.filter((index) => !done.has(index))
  if (open.length > 0 && isExpired()) return { kind: 'finish', reason: 'DeadlineExceeded' }
  const absent = new Set(policy.onOffline === 'Try' ? [] : open.filter(isOffline))
  const present = open.filter((index) => !absent.has(index))
  const skip = policy.onOffline === 'Skip' ? IndexSet.of(absent) : IndexSet.empty
  if (present.length > 0 || skip.size > 0)
    return { kind: 'send', window: IndexSet.of(present.slice(0, policy.window)), skip }
  if (open.length > 0) return { kind: 'wait' }
  const members = IndexSet.of(reached)
  const failed = record.failed.intersection(members)
  if (failed.size > 0 && record.round < policy.retryLimit && !isExpired())
    return { kind: 'retry', record: { ...record, round: record.round + 1, failed: record.failed.without(failed) } }
  if (record.wave + 1 >= policy.waves.length) return { kind: 'finish', reason: 'Done' }
  const bad = failed.union(record.unknown.intersection(members))
  if (bad.size > 0 && policy.onFailure !== 'Continue') return { kind: 'finish', reason: 'WaveFailed' }
  return { kind: 'nextWave', record: { ...record, wave: record.wave + 1, round: 0 } }
}
