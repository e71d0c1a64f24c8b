import type { HostRequestStatus } from '@keelson/api'

/** Bytes of JSON in UTF-8; above the sets and the other fields of a status some of it is left for the API server's own. */
export const statusLimit = 64 * 1024

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
  let fitting = status
  for (const step of steps) {
    if (Buffer.byteLength(JSON.stringify(fitting)) <= statusLimit) break
    fitting = { ...step(fitting), truncated: true }
  }
  return fitting
}
