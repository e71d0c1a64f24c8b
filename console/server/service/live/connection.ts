import type { Clock } from '@keelson/kube'

/** A watch that the server ends in good order is taken up again within this time, and nobody need know. */
const graceMs = 1_500

/** Whether all watches are open, and since when not. */
export class Connection {
  readonly #clock: Clock
  readonly #lost: Set<string>
  #since: number

  /** Nothing is connected at first. */
  constructor(watches: readonly string[], clock: Clock) {
    this.#clock = clock
    this.#lost = new Set(watches)
    this.#since = clock.now()
  }

  set(watch: string, connected: boolean): void {
    const wasWhole = this.#lost.size === 0
    if (connected) this.#lost.delete(watch)
    else this.#lost.add(watch)
    if (wasWhole && !connected) this.#since = this.#clock.now()
  }

  /** How long the cluster has been out of sight, in seconds; undefined: it is not, or not for long enough to speak of. */
  lostSeconds(): number | undefined {
    if (this.#lost.size === 0) return undefined
    const milliseconds = this.#clock.now() - this.#since
    return milliseconds < graceMs ? undefined : Math.round(milliseconds / 1_000)
  }
}
