import { IndexSet } from '@keelson/api'
import type { Word } from '../runs/carry-out.ts'
import type { RunRecord } from '../runs/run-record.ts'
import { grouped, type Group } from './grouping.ts'
import type { Answer, Unsuccessful } from './outcome.ts'
import type { Told } from './told.ts'

/** A run as far as it is known: its record, and what this operator knows of single targets. */
export type RunView = {
  readonly names: readonly string[]
  readonly record: RunRecord
  /** Why targets failed or are unknown, by their number. */
  readonly details: ReadonlyMap<number, Unsuccessful>
  /** What targets answered, by their number. */
  readonly answers: ReadonlyMap<number, Answer>
  /** What was known before. */
  readonly told: Told
  /** Named, but of another role or not selected. */
  readonly notTargeted: ReadonlySet<string>
  /** Absent while the run is under way. */
  readonly word?: Word | undefined
}

/** What stands for a target whose own words were told to an operator that has ended. */
const lost: Readonly<Record<'failed' | 'unknown', Unsuccessful>> = {
  failed: { outcome: 'failed', reason: 'Unrecorded', message: 'failed before another operator took over' },
  unknown: { outcome: 'unknown', reason: 'Interrupted', message: 'the operator ended before the answer came' },
}

export function detailOf({ record, details, told }: RunView, index: number): Unsuccessful {
  const outcome = record.failed.has(index) ? 'failed' : 'unknown'
  return { ...(details.get(index) ?? told.details.get(index) ?? lost[outcome]), outcome }
}

/** Equal failures once; each failed and each unknown host is in one of the groups. */
export function failureGroups(view: RunView): readonly Group<Unsuccessful>[] {
  const { record, told, names } = view
  const unsuccessful = record.failed.union(record.unknown)
  const asTold = standsAsTold(view)
  const parts = function* (): Generator<Group<Unsuccessful>> {
    if (asTold) yield* told.failures
    for (const index of asTold ? unsuccessful.without(told.unsuccessful) : unsuccessful)
      yield { kind: detailOf(view, index), count: 1, sample: [names[index]!] }
  }
  return grouped(parts(), ({ outcome, reason, code = '', message }) => `${outcome} ${reason} ${code} ${message}`)
}

/** Equal answers once. */
export function answerGroups(view: RunView): readonly Group<Answer>[] {
  const { record, answers, told, names } = view
  const settled = record.succeeded.union(record.failed).union(record.unknown)
  const parts = function* (): Generator<Group<Answer>> {
    yield* told.successes
    if (standsAsTold(view)) yield* told.otherAnswers
    for (const index of IndexSet.of(answers.keys()).intersection(settled))
      yield { kind: answers.get(index)!, count: 1, sample: [names[index]!] }
  }
  return grouped(parts(), ({ code, body }) => `${code} ${body}`)
}

/**
 * Whether all that was told of failures is so still. A round of retries frees some of them, and of those nobody knows any more in which group
 * they were counted: then only what is known of single hosts is told.
 */
function standsAsTold({ record, details, told }: RunView): boolean {
  const counted = told.failures.reduce((sum, { count }) => sum + count, 0)
  const left = told.unsuccessful.intersection(record.failed.union(record.unknown)).without(IndexSet.of(details.keys()))
  return left.size === told.unsuccessful.size && counted === left.size
}
