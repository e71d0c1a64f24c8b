import type { HostRequestStatus } from '@keelson/api'

/** Bytes of JSON in UTF-8 of the status of up to 5,000 hosts. */
export const statusLimit = 64 * 1024

/** Beyond 5,000 the sets alone may take all of that; then there is this much for everything else. */
const detailLimit = 24 * 1024

type Step = (status: HostRequestStatus) => HostRequestStatus

const oneHost = <Group extends { readonly sample: string[] }>(groups: readonly Group[]): Group[] =>
  groups.map((group) => ({ ...group, sample: group.sample.slice(0, 1) }))

/** From what is missed least to what is missed most. The sets are never touched: they are the run. */
const steps: readonly Step[] = [
  (status) => ({ ...status, answers: oneHost(status.answers) }),
  (status) => ({ ...status, failureGroups: oneHost(status.failureGroups) }),
  (status) => ({ ...status, failures: status.failures.slice(0, 5) }),
  (status) => ({ ...status, answers: [] }),
  (status) => ({ ...status, failures: [] }),
]

/** The status, with no more left out than is needed to stay within the limit; names of 253 characters alone can make it too large. */
export function fitted(status: HostRequestStatus): HostRequestStatus {
  const bare = sizeOf({ ...status, failures: [], failureGroups: [], answers: [] })
  const limit = Math.max(statusLimit, bare + detailLimit)
  let fitting = status
  for (const step of steps) {
    if (sizeOf(fitting) <= limit) break
    fitting = { ...step(fitting), truncated: true }
  }
  return fitting
}

function sizeOf(status: HostRequestStatus): number {
  return Buffer.byteLength(JSON.stringify(status))
}
