/** Time as a queue needs it; tests bring their own. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number
  /** Calls `callback` once after `delayMs`; the result cancels that. */
  schedule(delayMs: number, callback: () => void): () => void
}

/** Node fires a longer timer at once. */
const maxTimerMs = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(delayMs, maxTimerMs))
    return () => clearTimeout(timer)
  },
}
