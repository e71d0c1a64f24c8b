import type { HostRequestSpec, HostRequestStatus } from '@keelson/api'

/** How long a request whose run has ended is still to be there, in milliseconds; zero or less: no longer. Undefined: for good. */
export function lifeLeft(
  { ttlSecondsAfterFinished: seconds }: HostRequestSpec,
  { run }: HostRequestStatus,
  now: Date,
): number | undefined {
  // One that bears no time of its end is nothing that we wrote, so nothing that we may delete.
  if (seconds === undefined || run.finishTime === undefined) return undefined
  // The end is told in whole seconds, cut off: nobody gets less time than was asked for, and at once is at once.
  const lifeMs = seconds === 0 ? 0 : (1 + seconds) * 1_000
  return Date.parse(run.finishTime) + lifeMs - now.getTime()
}
