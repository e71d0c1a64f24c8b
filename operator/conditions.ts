import type { Condition } from '@keelson/api'
import { boundedText } from './bounded-text.ts'

export type WantedCondition = Omit<Condition, 'lastTransitionTime'>

const messageLimit = 256

/**
 * The wanted conditions with their transition times: the old time where the status did not change, as metav1.Condition asks. So an
 * unchanged world gives an equal list, and nothing is written. Messages are cut to what the API server takes.
 */
export function withTransitionTimes(
  wanted: readonly WantedCondition[],
  present: readonly Condition[] | undefined,
  now: Date,
): Condition[] {
  return wanted.map((condition) => {
    const before = present?.find(({ type }) => type === condition.type)
    const unchanged = before !== undefined && before.status === condition.status
    return {
      ...condition,
      message: boundedText(condition.message, messageLimit),
      lastTransitionTime: unchanged ? before.lastTransitionTime : timestamp(now),
    }
  })
}

/** RFC 3339 in UTC, in whole seconds, as metav1.Time is written. */
export function timestamp(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z')
}
