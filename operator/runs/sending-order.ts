import { createHash } from 'node:crypto'
import { rankText, type Amount } from '@keelson/api'

/**
 * The order in which targets are sent to. One wave goes by number; with canaries the order is shuffled by the run's identity, so that
 * they are spread over the fleet, are others in each run, and are the same for every leader that carries the run on.
 */
export function sendingOrder(targets: number, waves: readonly Amount[], runId: string): number[] {
  const order = Array.from({ length: targets }, (_, index) => index)
  if (waves.length <= 1) return order
  const rank = order.map((index) => createHash('sha256').update(rankText(runId, index)).digest('hex'))
  return order.toSorted((a, b) => (rank[a]! < rank[b]! ? -1 : 1))
}
