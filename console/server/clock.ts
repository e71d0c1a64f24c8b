/** Time as the server needs it; tests bring their own. */
export interface Clock {
  /** Of day: what is stored and shown. */
  readonly now: () => Date
  /** Monotonic milliseconds: what is measured. */
  readonly monotonicMs: () => number
}

export const systemClock: Clock = { now: () => new Date(), monotonicMs: () => performance.now() }
