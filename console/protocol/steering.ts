import type { HostRequest, HostRequestSpec } from '@keelson/api'

/** What of a spec is written by a merge patch; `null` takes a field back to its default. */
export type SpecPatch = { readonly [Field in keyof HostRequestSpec]?: HostRequestSpec[Field] | null }

/** No run gets anything done in it, so a run that it is meant for has been aborted. */
const abortedSeconds = 1

export const sendPatch: SpecPatch = { dryRun: false }
export const pausePatch: SpecPatch = { suspend: true }
export const abortPatch: SpecPatch = { suspend: false, activeDeadlineSeconds: abortedSeconds }

/** Goes on: also where the run waits for somebody's word after a failure. */
export function resumePatch({ status }: Pick<HostRequest, 'status'>): SpecPatch {
  const waits =
    status?.state === 'PAUSED' ? status.conditions.find(({ type }) => type === 'Stalled')?.reason : undefined
  return {
    suspend: false,
    ...(waits === 'WaveFailed' && { onFailure: 'Continue' }),
    ...(waits === 'TooManyFailures' && { maxFailures: '100%' }),
  }
}

/** Once more, all of it. `token` is another one than before. What aborted the run before does not abort this one. */
export function runAgainPatch(spec: HostRequestSpec, token: string): SpecPatch {
  return {
    runToken: token,
    ...(spec.suspend && { suspend: false }),
    ...(isAborted(spec) && { activeDeadlineSeconds: null }),
  }
}

/** The spec of a new request for some hosts of this one: what chose them is left out, for they are chosen. */
export function retrySpec(spec: HostRequestSpec, hosts: readonly string[]): HostRequestSpec {
  const { hostSelector: _, ...rest } = spec
  const workers = hosts.map((name) => ({ name }))
  const activeDeadlineSeconds = isAborted(spec) ? 3600 : spec.activeDeadlineSeconds
  return { ...rest, workers, activeDeadlineSeconds, dryRun: false, suspend: false, runToken: '' }
}

/** Whether its present run was aborted: whoever makes something of the spec does not want that, too. */
export function isAborted({ activeDeadlineSeconds }: HostRequestSpec): boolean {
  return activeDeadlineSeconds === abortedSeconds
}
