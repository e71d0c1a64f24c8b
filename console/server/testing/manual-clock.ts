import type { Clock } from '@keelson/kube'

/** Time that passes only by `advance`; what is due is called in order. */
export class ManualClock implements Clock {
  #now = 0
  #timers: { readonly at: number; readonly callback: () => void }[] = []

  now(): number {
    return this.#now
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#now + delayMs, callback }
    this.#timers.push(timer)
    return () => (this.#timers = this.#timers.filter((each) => each !== timer))
  }

  advance(milliseconds: number): void {
    const until = this.#now + milliseconds
    for (;;) {
      const [next] = this.#timers.toSorted((a, b) => a.at - b.at)
      if (next === undefined || next.at > until) break
      this.#timers = this.#timers.filter((each) => each !== next)
      this.#now = next.at
      next.callback()
    }
    this.#now = until
  }

  get pending(): number {
    return this.#timers.length
  }
}
