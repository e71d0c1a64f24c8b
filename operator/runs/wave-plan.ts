import { createHash } from 'node:crypto'
import { amountOf, type Amount } from './amount.ts'

/**
 * The order in which targets are sent to. One wave goes by number; with canaries the order is shuffled by the run's identity, so that
 * they are spread over the fleet, are others in each run, and are the same for every leader that carries the run on.
 */
export function sendingOrder(targets: number, waves: readonly Amount[], runId: string): number[] {
  const order = Array.from({ length: targets }, (_, index) => index)
  if (waves.length <= 1) return order
  const rank = order.map((index) => createHash('sha256').update(`${runId}/${index}`).digest('hex'))
  return order.toSorted((a, b) => (rank[a]! < rank[b]! ? -1 : 1))
}

/**
 * How many targets have been reached at the end of each wave: cumulative, rising, at least one in the first, and all of them in the last,
 * whatever was asked for. Waves that would add nobody are left out.
 */
export function waveEnds(targets: number, waves: readonly Amount[]): number[] {
  const ends: number[] = []
  for (const wave of waves) {
    const end = Math.min(targets, Math.max(1, amountOf(wave, targets)))
    if (end > (ends.at(-1) ?? 0)) ends.push(end)
  }
  if (ends.at(-1) !== targets) ends.push(targets)
  return ends
}
