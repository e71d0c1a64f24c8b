import { IndexSet } from '@keelson/api'
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
  readonly onFailure: 'Stop' | 'Pause' | 'Continue'
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
  /** Nothing is done until the spec says otherwise, or the time is over. */
  | { readonly kind: 'pause'; readonly reason: PauseReason }
  | { readonly kind: 'finish'; readonly reason: FinishReason }

export type FinishReason = 'Done' | 'WaveFailed' | 'TooManyFailures' | 'DeadlineExceeded'

export type PauseReason = 'Suspended' | 'WaveFailed' | 'TooManyFailures'

export type Circumstances = {
  readonly isOffline: (index: number) => boolean
  /** The time for the whole run is over. */
  readonly isExpired: () => boolean
  /** Whoever asked for the run wants nothing to be begun for now. */
  readonly isSuspended: () => boolean
}

/**
 * What is to be done next in a run. Pure: the record, the policy and the world as they are now are all it knows. So a pause needs no memory: whoever
 * changes the policy, or the suspension, has the answer change, and an operator that takes a paused run over finds it paused.
 */
export function decide(record: RunRecord, policy: RunPolicy, circumstances: Circumstances): Decision {
  const next = nextStep(record, policy, circumstances)
  const ends = next.kind === 'finish' || next.kind === 'pause'
  return ends || !circumstances.isSuspended() ? next : { kind: 'pause', reason: 'Suspended' }
}

function nextStep(record: RunRecord, policy: RunPolicy, { isOffline, isExpired }: Circumstances): Decision {
  const { order, waves, window, maxFailures, onFailure, onOffline, retryLimit } = policy
  const done = settled(record)
  const stop = (reason: 'WaveFailed' | 'TooManyFailures'): Decision => {
    if (onFailure !== 'Pause' || done.size === order.length) return { kind: 'finish', reason }
    return isExpired() ? { kind: 'finish', reason: 'DeadlineExceeded' } : { kind: 'pause', reason }
  }
  if (record.failed.size + record.unknown.size > maxFailures) return stop('TooManyFailures')
  const open = order.slice(0, waves[record.wave]).filter((index) => !done.has(index))
  if (open.length > 0 && isExpired()) return { kind: 'finish', reason: 'DeadlineExceeded' }
  const absent = new Set(onOffline === 'Try' ? [] : open.filter(isOffline))
  const present = open.filter((index) => !absent.has(index))
  const skip = onOffline === 'Skip' ? IndexSet.of(absent) : IndexSet.empty
  if (present.length > 0 || skip.size > 0) return { kind: 'send', window: IndexSet.of(present.slice(0, window)), skip }
  if (open.length > 0) return { kind: 'wait' }
  // What failed in an earlier wave was answered for there: by its own rounds, and by whoever let the next one begin.
  const wave = IndexSet.of(order.slice(waves[record.wave - 1] ?? 0, waves[record.wave]))
  const failed = record.failed.intersection(wave)
  if (failed.size > 0 && record.round < retryLimit && !isExpired())
    return { kind: 'retry', record: { ...record, round: record.round + 1, failed: record.failed.without(failed) } }
  if (record.wave + 1 >= waves.length) return { kind: 'finish', reason: 'Done' }
  const bad = failed.size + record.unknown.intersection(wave).size
  if (bad > 0 && onFailure !== 'Continue') return stop('WaveFailed')
  if (isExpired()) return { kind: 'finish', reason: 'DeadlineExceeded' }
  return { kind: 'nextWave', record: { ...record, wave: record.wave + 1, round: 0 } }
}
