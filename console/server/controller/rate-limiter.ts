import type { Clock } from '../clock.ts'

export interface Rate {
  /** So many at once. */
  readonly burst: number
  /** One more after each. */
  readonly intervalMs: number
}

/** Keys beyond this push out the one that was not used the longest. */
const maxKeys = 20_000

/**
 * Says how often something may happen for a key, by the generic cell rate algorithm (ITU-T I.371): one number a key, no timers. Of this process alone:
 * several consoles allow several times as much.
 */
export class RateLimiter {
  readonly #rate: Rate
  readonly #clock: Clock
  /** When the key will have its whole burst again, in monotonic milliseconds; the least recently used first. */
  readonly #full = new Map<string, number>()

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate
    this.#clock = clock
  }

  /** @returns 0: it may happen, and is counted; else how many milliseconds to wait */
  spend(key: string): number {
    const now = this.#clock.monotonicMs()
    const { burst, intervalMs } = this.#rate
    const full = Math.max(this.#full.get(key) ?? 0, now) + intervalMs
    const waitMs = full - now - burst * intervalMs
    if (waitMs > 0) return waitMs
    this.#full.delete(key)
    this.#full.set(key, full)
    if (this.#full.size > maxKeys) this.#full.delete(this.#full.keys().next().value!)
    return 0
  }

  /** Takes one back that was counted. */
  refund(key: string): void {
    const full = this.#full.get(key)
    if (full !== undefined) this.#full.set(key, full - this.#rate.intervalMs)
  }
}
