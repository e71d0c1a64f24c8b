import type { HostRequest, HostRequestSpec } from '@keelson/api'

/** A merge patch of a HostRequest; `null` takes an annotation away. */
export interface RequestPatch {
  readonly metadata?: { readonly annotations: Readonly<Record<string, string | null>> }
  readonly spec: Partial<HostRequestSpec>
}

/** Remembers the deadline that abort has put away, for the next run. */
const deadlineAnnotation = 'keelson.dev/deadline-before-abort'

/** On a retry: the name of the request that it was made from. */
export const retryOfAnnotation = 'keelson.dev/retry-of'

export const sendPatch: RequestPatch = { spec: { dryRun: false } }
export const pausePatch: RequestPatch = { spec: { suspend: true } }

/** Goes on: what waits for an answer after a failure gets it. */
export function resumePatch({ status }: Pick<HostRequest, 'status'>): RequestPatch {
  const stalled = status?.conditions.find(({ type }) => type === 'Stalled')
  const reason = status?.state === 'PAUSED' && stalled?.status === 'True' ? stalled.reason : ''
  const spec = { suspend: false }
  if (reason === 'WaveFailed') return { spec: { ...spec, onFailure: 'Continue' } }
  // Without Pause the run would end over them instead.
  if (reason === 'TooManyFailures') return { spec: { ...spec, onFailure: 'Continue', maxFailures: '100%' } }
  return { spec }
}

/** A deadline that is over ends a run that has begun. One that has not would begin with it. */
export function abortPatch({ metadata, spec }: Pick<HostRequest, 'metadata' | 'spec'>): RequestPatch {
  const deadline = metadata.annotations?.[deadlineAnnotation] ?? String(spec.activeDeadlineSeconds)
  return {
    metadata: { annotations: { [deadlineAnnotation]: deadline } },
    spec: { activeDeadlineSeconds: 1, suspend: false },
  }
}

/** Once more, all of it; what held up or ended the run before does not do so again. `token` is another one than before. */
export function runAgainPatch(request: Pick<HostRequest, 'metadata' | 'spec'>, token: string): RequestPatch {
  return {
    metadata: { annotations: { [deadlineAnnotation]: null } },
    spec: { runToken: token, suspend: false, activeDeadlineSeconds: deadlineOf(request) },
  }
}

/** The spec of a new request for some hosts of this one: they are named, so nothing narrows them. */
export function retrySpec(request: Pick<HostRequest, 'metadata' | 'spec'>, hosts: readonly string[]): HostRequestSpec {
  const { hostSelector: _, ...spec } = request.spec
  const workers = hosts.map((name) => ({ name }))
  const activeDeadlineSeconds = deadlineOf(request)
  return { ...spec, workers, activeDeadlineSeconds, suspend: false, dryRun: false, runToken: '' }
}

/** `activeDeadlineSeconds` as it was before the request was aborted. */
export function deadlineOf({ metadata, spec }: Pick<HostRequest, 'metadata' | 'spec'>): number {
  const before = Number(metadata.annotations?.[deadlineAnnotation] ?? Number.NaN)
  return Number.isInteger(before) && before >= 1 && before <= 604_800 ? before : spec.activeDeadlineSeconds
}
