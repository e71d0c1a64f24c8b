import { IndexSet, type HostRequestStatus } from '@keelson/api'
import type { Group } from './grouping.ts'
import type { Answer, Unsuccessful } from './outcome.ts'

/** What an earlier operator, or this one before a pause, told in the status of a run. Who failed or is unknown, only the record says. */
export type Told = {
  /** Targets that the groups are about. */
  readonly unsuccessful: IndexSet
  readonly failures: readonly Group<Unsuccessful>[]
  /** Answers of hosts that succeeded: nothing changes that any more. */
  readonly successes: readonly Group<Answer>[]
  readonly otherAnswers: readonly Group<Answer>[]
  /** What is known of single targets, by number. */
  readonly details: ReadonlyMap<number, Unsuccessful>
}

export const nothingTold: Told = {
  unsuccessful: IndexSet.empty,
  failures: [],
  successes: [],
  otherAnswers: [],
  details: new Map(),
}

/** The reason of the group that stands for all that have none of their own. */
export const otherReason = 'Other'

export function toldIn(status: HostRequestStatus, names: readonly string[]): Told {
  const failed = IndexSet.parse(status.failed)
  const indexOf = new Map(names.map((name, index) => [name, index]))
  const outcomeOf = (host: string | undefined) => (failed.has(indexOf.get(host ?? '') ?? -1) ? 'failed' : 'unknown')
  const details = new Map<number, Unsuccessful>()
  const remember = (host: string, detail: Unsuccessful) => {
    const index = indexOf.get(host)
    if (index !== undefined) details.set(index, detail)
  }
  const failures = status.failureGroups.map(({ reason, code, message, count, sample }): Group<Unsuccessful> => {
    const kind = { outcome: outcomeOf(sample[0]), reason, message, ...(code === undefined ? {} : { code }) } as const
    if (reason === otherReason) return { kind: undefined, count, sample }
    for (const host of sample) remember(host, kind)
    return { kind, count, sample }
  })
  for (const { host, reason, code, message } of status.failures)
    remember(host, { outcome: outcomeOf(host), reason, message, ...(code === undefined ? {} : { code }) })
  const succeeded = IndexSet.parse(status.succeeded)
  const [successes, otherAnswers]: [Group<Answer>[], Group<Answer>[]] = [[], []]
  for (const { code, body, count, sample } of status.answers) {
    const kind = code === undefined || body === undefined ? undefined : { code, body }
    // Equal answers have one status code, so one of them speaks for all.
    const isSuccess = kind !== undefined && succeeded.has(indexOf.get(sample[0] ?? '') ?? -1)
    ;(isSuccess ? successes : otherAnswers).push({ kind, count, sample })
  }
  return { unsuccessful: failed.union(IndexSet.parse(status.unknown)), failures, successes, otherAnswers, details }
}
