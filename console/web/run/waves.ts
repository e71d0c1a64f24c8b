import { rankText, waveEnds, type HostRequest } from '@keelson/api'
import type { Outcome, OutcomeOf } from './outcome.ts'

type Tally = Readonly<Record<Outcome, number>>

export interface Wave {
  /** From 0. */
  readonly number: number
  /** As the spec has it: `1`, `5%`. */
  readonly reaches: string
  /** Targets of this wave alone. */
  readonly size: number
  readonly state: 'Done' | 'Failed' | 'Running' | 'Paused' | 'Waiting' | 'NotBegun'
  /** `undefined`: which targets are in which wave is not known here. */
  readonly tally: Tally | undefined
}

/** `crypto.subtle.digest`, bound. */
export type Digest = (algorithm: 'SHA-256', data: Uint8Array<ArrayBuffer>) => Promise<ArrayBuffer>

const nobody: Tally = { Failed: 0, Unknown: 0, Sending: 0, Waiting: 0, Succeeded: 0, Skipped: 0, Meant: 0 }

function tallyOf(indexes: Iterable<number>, outcomeOf: OutcomeOf): Tally {
  const tally: Record<Outcome, number> = { ...nobody }
  for (const index of indexes) tally[outcomeOf(index)] += 1
  return tally
}

/**
 * The order in which the targets of a run are sent to, as the operator has it: by number, or with canaries by the digest of the run and the number.
 * `undefined` where the browser has no digests, which it has wherever the page came by HTTPS or from the machine itself.
 */
export async function sendingOrder(
  targets: number,
  waves: number,
  runId: string,
  digest: Digest | undefined,
): Promise<readonly number[] | undefined> {
  const order = Array.from({ length: targets }, (_, index) => index)
  if (waves <= 1) return order
  if (digest === undefined) return undefined
  const encoder = new TextEncoder()
  const ranks = await Promise.all(order.map((index) => digest('SHA-256', encoder.encode(rankText(runId, index)))))
  const rank = ranks.map((bytes) => new Uint8Array(bytes))
  return order.toSorted((a, b) => compare(rank[a]!, rank[b]!))
}

/** The stages of a run. None before its targets are known. */
export function wavesOf(
  { spec, status }: HostRequest,
  order: readonly number[] | undefined,
  outcomeOf: OutcomeOf,
): Wave[] {
  if (status === undefined || status.counts.targets === 0) return []
  const { targets } = status.counts
  const asked = spec.waves.length === 0 ? ['100%'] : spec.waves
  const ends = waveEnds(targets, asked)
  return ends.map((end, number): Wave => {
    const start = ends[number - 1] ?? 0
    const members = ends.length === 1 ? Array.from({ length: targets }, (_, index) => index) : order?.slice(start, end)
    const tally = members === undefined ? undefined : tallyOf(members, outcomeOf)
    const state = stateOf(number, status, tally)
    return { number, reaches: reachOf(end, targets, asked), size: end - start, state, tally }
  })
}

/** The number of the wave of each target. */
export function waveNumbers(order: readonly number[], ends: readonly number[]): readonly number[] {
  const numbers = Array.from({ length: order.length }, () => 0)
  let wave = 0
  for (const [place, index] of order.entries()) {
    while (place >= (ends[wave] ?? Infinity)) wave += 1
    numbers[index] = wave
  }
  return numbers
}

function stateOf(number: number, status: NonNullable<HostRequest['status']>, tally: Tally | undefined): Wave['state'] {
  const { run, state } = status
  if (status.dryRun !== undefined || number > run.wave) return 'NotBegun'
  const failed = tally === undefined ? 0 : tally.Failed + tally.Unknown
  if (number < run.wave) return failed > 0 ? 'Failed' : 'Done'
  switch (state) {
    case 'PENDING':
      return 'Waiting'
    case 'RUNNING':
      return 'Running'
    case 'PAUSED':
      return 'Paused'
    case 'SUCCESS':
      return 'Done'
    case 'ERROR':
      return failed > 0 || tally === undefined ? 'Failed' : 'Done'
  }
}

/** The part of the spec that led to an end; what was raised to reach somebody, or added to reach all, has no words of its own. */
function reachOf(end: number, targets: number, waves: readonly (number | string)[]): string {
  const asked = waves.find((wave) => waveEnds(targets, [wave])[0] === end)
  return String(asked ?? (end === targets ? '100%' : end))
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, index) => byte !== b[index])
  return at < 0 ? 0 : a[at]! - b[at]!
}
