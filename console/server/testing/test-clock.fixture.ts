import type { Clock } from '../clock.ts'

/** Stands still until it is told to go on. */
export class TestClock implements Clock {
  #ms = Date.UTC(2026, 0, 2, 3, 4, 5)

  readonly now = () => new Date(this.#ms)
  readonly monotonicMs = () => this.#ms

  pass(ms: number): void {
    this.#ms += ms
  }
}
