import { IndexSet, type HostRequest, type HostRequestStatus } from '@keelson/api'

/** What became of one target, or is becoming of it. */
export const outcomes = ['Failed', 'Unknown', 'Sending', 'Waiting', 'Succeeded', 'Skipped', 'Meant'] as const

/**
 * `Sending`: written down before it is sent, the answer is not written yet. `Waiting`: not its turn yet. `Meant`: a dry run would have sent to it.
 */
export type Outcome = (typeof outcomes)[number]

/** By the number of the target. */
export type OutcomeOf = (index: number) => Outcome

type Sets = Pick<HostRequestStatus, 'succeeded' | 'failed' | 'unknown' | 'skipped' | 'run'>

export function outcomeOf(status: Sets & Pick<HostRequestStatus, 'dryRun'>): OutcomeOf {
  const failed = read(status.failed)
  const unknown = read(status.unknown)
  const succeeded = read(status.succeeded)
  const skipped = read(status.skipped)
  const claim = read(status.run.claim)
  const rest = restOf(status)
  return (index) => {
    if (succeeded.has(index)) return 'Succeeded'
    if (failed.has(index)) return 'Failed'
    if (unknown.has(index)) return 'Unknown'
    if (skipped.has(index)) return 'Skipped'
    return claim.has(index) ? 'Sending' : rest
  }
}

function restOf({ dryRun, run }: Pick<HostRequestStatus, 'dryRun' | 'run'>): Outcome {
  if (dryRun !== undefined) return 'Meant'
  // A run that was broken off leaves some in no set: nothing more is sent to them.
  return run.finishTime === undefined ? 'Waiting' : 'Skipped'
}

/** A set that cannot be read is not worth a page that cannot be seen: the counts tell of it all the same. */
function read(text: string): IndexSet {
  try {
    return IndexSet.parse(text)
  } catch {
    return IndexSet.empty
  }
}

/** Names of the targets, where the status itself tells them; `undefined`: they lie in a ConfigMap. */
export function namesIn(status: Pick<HostRequestStatus, 'run'>): readonly string[] | undefined {
  return status.run.targets.configMap === undefined ? (status.run.targets.names ?? []) : undefined
}

/** Why a host failed, as far as the status tells of single hosts. */
export function reasonsByHost({
  failures,
  failureGroups,
}: Pick<HostRequestStatus, 'failures' | 'failureGroups'>): ReadonlyMap<string, Reason> {
  const told = new Map<string, Reason>()
  for (const { sample, reason, code, message } of failureGroups) {
    for (const host of sample) told.set(host, { reason, message, ...(code === undefined ? {} : { code }) })
  }
  for (const { host, reason, code, message } of failures)
    told.set(host, { reason, message, ...(code === undefined ? {} : { code }) })
  return told
}

export interface Reason {
  readonly reason: string
  readonly code?: number
  readonly message: string
}

/** The state of what the spec asks for: a run that has ended says nothing of one that was asked for since. */
export function stateOf({ metadata, status }: Pick<HostRequest, 'metadata' | 'status'>): HostRequestStatus['state'] {
  if (status === undefined) return 'PENDING'
  const { state, observedGeneration } = status
  const isOver = state === 'SUCCESS' || state === 'ERROR'
  return isOver && observedGeneration !== metadata.generation ? 'PENDING' : state
}

/** The run that the spec asks for has ended. */
export function isFinished(request: Pick<HostRequest, 'metadata' | 'status'>): boolean {
  const state = stateOf(request)
  return state === 'SUCCESS' || state === 'ERROR'
}
