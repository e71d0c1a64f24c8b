import type { HostRequest, HostRequestStatus } from '@keelson/api'
import { decide } from '../runs/decide.ts'
import { recordOf } from '../runs/status-record.ts'
import { deadlineOf, policyOf, type RunShape } from './run-policy.ts'

/**
 * How long a paused run still has nothing to do but to wait for a person, in milliseconds. Undefined: there is something to do, be it
 * to tell that it is paused for another reason, or that it is.
 */
export function pauseLeft(
  { metadata, spec }: HostRequest,
  status: HostRequestStatus,
  run: RunShape,
  now: Date,
): number | undefined {
  if (status.state !== 'PAUSED' || status.observedGeneration !== metadata.generation) return undefined
  const left = deadlineOf(run.spec, status.run.startTime) - now.getTime()
  const decision = decide(recordOf(status), policyOf(run), {
    ...{ isExpired: () => left <= 0, isSuspended: () => spec.suspend, isOffline: () => false },
  })
  const reason = status.conditions.find(({ type }) => type === 'Ready')?.reason
  return decision.kind === 'pause' && decision.reason === reason ? left : undefined
}
