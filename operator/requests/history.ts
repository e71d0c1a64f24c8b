import { IndexSet, type HostRequestStatus } from '@keelson/api'

const historyLimit = 5

/**
 * The runs before the one of this id, the last one first. One that a changed spec ended early is among them: what it had claimed is unknown,
 * and who was not sent to was skipped.
 *
 * @param now RFC 3339.
 */
export function historyFor(
  id: string,
  status: HostRequestStatus | undefined,
  now: string,
): HostRequestStatus['history'] {
  if (status === undefined) return []
  const { run, state, history } = status
  // Suspended before it began: there was nothing.
  if (run.id === id || run.startTime === undefined) return history
  const { targets, succeeded, failed, unknown: lost } = status.counts
  const unknown = lost + IndexSet.parse(run.claim).size
  const former = {
    id: run.id,
    state: state === 'SUCCESS' ? state : ('ERROR' as const),
    counts: { targets, succeeded, failed, unknown, skipped: targets - succeeded - failed - unknown },
    finishTime: run.finishTime ?? now,
  }
  return [former, ...history].slice(0, historyLimit)
}
