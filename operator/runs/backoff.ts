/** Milliseconds. */
const firstMs = 1_000
const maximumMs = 60_000

/**
 * How long to wait before a round of retries: a random time up to a bound that doubles with each round (full jitter), so that thousands of
 * hosts that failed together are not asked together again.
 *
 * @param round from 1.
 * @param random uniform in [0, 1).
 */
export function retryDelayMs(round: number, random: () => number): number {
  return Math.min(maximumMs, firstMs * 2 ** (round - 1)) * random()
}
