export interface BackoffOptions {
  readonly initialMs: number
  readonly maxMs: number
}

/** `initialMs`, twice that, four times … up to `maxMs`, for the n-th failure in a row (from 0). */
export function exponentialDelay({ initialMs, maxMs }: BackoffOptions, failures: number): number {
  return Math.min(maxMs, initialMs * 2 ** failures)
}

/** Exponential waiting times, each between half and all of its step, so that many clients do not come back together. */
export class Backoff {
  readonly #options: BackoffOptions
  readonly #random: () => number
  #failures = 0

  constructor(options: BackoffOptions, random: () => number) {
    this.#options = options
    this.#random = random
  }

  nextMs(): number {
    return exponentialDelay(this.#options, this.#failures++) * (0.5 + this.#random() / 2)
  }

  reset(): void {
    this.#failures = 0
  }
}
