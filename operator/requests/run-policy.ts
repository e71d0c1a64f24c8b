import { amountOf, waveEnds, type HostRequestSpec } from '@keelson/api'
import type { RunPolicy } from '../runs/decide.ts'
import { sendingOrder } from '../runs/sending-order.ts'
import { needsClaim } from './sender.ts'

/** How many targets a claim covers, for each delivery at a time. */
const windowFactor = 8

export type RunShape = {
  readonly spec: HostRequestSpec
  /** Names of the targets. */
  readonly names: readonly string[]
  readonly id: string
}

/** Deliveries at a time. */
export function parallelismOf({ spec, names }: Omit<RunShape, 'id'>): number {
  return Math.max(1, amountOf(spec.parallelism, names.length))
}

/** What the spec of a request comes to for the targets that it has. */
export function policyOf({ spec, names, id }: RunShape): RunPolicy {
  const { waves, maxFailures, onFailure, onOffline, retry } = spec
  return {
    ...{ order: sendingOrder(names.length, waves, id), waves: waveEnds(names.length, waves) },
    window: needsClaim(spec.http) ? windowFactor * parallelismOf({ spec, names }) : names.length,
    ...{ maxFailures: amountOf(maxFailures, names.length), onFailure, onOffline, retryLimit: retry.limit },
  }
}

export function keepsAnswers({ answers, http }: HostRequestSpec): boolean {
  return (answers ?? (http.method === 'GET' ? 'Sample' : 'None')) === 'Sample'
}

/** When the run is over, in milliseconds of the epoch; the time goes on while it is paused. */
export function deadlineOf(spec: HostRequestSpec, startTime: string | undefined): number {
  // The start is told in whole seconds, cut off: nobody gets less time than was asked for.
  return Date.parse(startTime ?? '') + (1 + spec.activeDeadlineSeconds) * 1_000
}
