import type { Outcome } from './outcome.ts'
import { verdictOf, type Verdict } from './request-status.ts'
import type { Target, Targets } from './targets.ts'

export type Deliver = (target: Target, signal: AbortSignal) => Promise<Outcome>

/** One generation of a HostRequest carried out: each target gets the request once, at most `parallelism` at a time. */
export class Run {
  readonly id: string
  readonly startTime: string
  readonly #targets: Targets
  readonly #outcomes: Outcome[] = []
  readonly #abort = new AbortController()
  readonly #done: Promise<void>
  #ended = false

  /**
   * Begins at once.
   *
   * @param changed is told of every outcome and of the end; what it does with that is its own affair, it must not throw.
   */
  constructor(
    identity: { readonly id: string; readonly startTime: string },
    targets: Targets,
    parallelism: number,
    deliver: Deliver,
    changed: (ended: boolean) => void,
  ) {
    this.id = identity.id
    this.startTime = identity.startTime
    this.#targets = targets
    const rest = targets.online.values()
    const work = async () => {
      for (const target of rest) {
        if (this.#abort.signal.aborted) return
        this.#outcomes.push(await deliver(target, this.#abort.signal))
        changed(false)
      }
    }
    const workers = Math.min(parallelism, targets.online.length)
    this.#done = Promise.all(Array.from({ length: workers }, work))
      .then(() => {
        this.#ended = true
        return changed(true)
      })
      .catch((error: unknown) => {
        // Deliveries turn their failures into outcomes; only an abort comes here.
        if (!this.#abort.signal.aborted) throw error
      })
  }

  get ended(): boolean {
    return this.#ended
  }

  get verdict(): Verdict {
    return verdictOf({ targets: this.#targets, outcomes: this.#outcomes, ended: this.#ended })
  }

  /** Closes the connections in flight and sends nothing more; resolves when that is so. */
  async abort(): Promise<void> {
    this.#abort.abort()
    await this.#done
  }
}

/** Deliveries at a time: the number itself, or the percentage of the targets, rounded up. */
export function parallelismOf(wanted: number | string, targets: number): number {
  const percentage = typeof wanted === 'string' ? Number(wanted.replace('%', '')) : undefined
  return Math.max(1, percentage === undefined ? Number(wanted) : Math.ceil((targets * percentage) / 100))
}
