import { IndexSet } from '@keelson/api'

/**
 * What is written down of a run, all of it: whoever reads it can carry the run on. Targets are numbered by their place in the frozen list.
 * The sets are disjoint; a target in none of them was not sent to in this round.
 */
export type RunRecord = {
  /** The leader that wrote it: each leadership has a higher number. */
  readonly epoch: number
  /** Pass of retries within the wave, from 0. */
  readonly round: number
  /** Canary step, from 0. */
  readonly wave: number
  /** Written down before it is sent, and not answered yet. After a crash nobody knows which of these were sent. */
  readonly claim: IndexSet
  readonly succeeded: IndexSet
  readonly failed: IndexSet
  /** May have been executed, the answer is lost. */
  readonly unknown: IndexSet
  readonly skipped: IndexSet
}

export const beginning: Omit<RunRecord, 'epoch'> = {
  round: 0,
  wave: 0,
  claim: IndexSet.empty,
  succeeded: IndexSet.empty,
  failed: IndexSet.empty,
  unknown: IndexSet.empty,
  skipped: IndexSet.empty,
}

export function sameRecord(a: RunRecord, b: RunRecord): boolean {
  return text(a) === text(b)
}

function text({ epoch, round, wave, claim, succeeded, failed, unknown, skipped }: RunRecord): string {
  return [epoch, round, wave, claim, succeeded, failed, unknown, skipped].join(' ')
}

/** Targets that have their outcome, at least for this round. */
export function settled({ succeeded, failed, unknown, skipped }: RunRecord): IndexSet {
  return succeeded.union(failed).union(unknown).union(skipped)
}

export type Results = {
  readonly succeeded: IndexSet
  /** Certainly not executed, or answered with a failure. */
  readonly failed: IndexSet
  readonly unknown: IndexSet
  /** Broken off without an answer. */
  readonly unanswered: IndexSet
}

/** The record with the outcomes of what was claimed; what was claimed and not begun was certainly not sent, and is free again. */
export function withResults(record: RunRecord, results: Results): RunRecord {
  return {
    ...record,
    claim: results.unanswered,
    succeeded: record.succeeded.union(results.succeeded),
    failed: record.failed.union(results.failed),
    unknown: record.unknown.union(results.unknown),
  }
}

/**
 * What a leader makes of a record whose claim it has no answers for. `Resend` frees the claim: a request whose answer was lost is then
 * sent again, at the risk that it is executed twice.
 */
export function recovered(record: RunRecord, epoch: number, onUnknown: 'Fail' | 'Resend'): RunRecord {
  const { claim } = record
  const lost = onUnknown === 'Resend' ? IndexSet.empty : claim
  return { ...record, epoch, claim: IndexSet.empty, unknown: record.unknown.union(lost) }
}
