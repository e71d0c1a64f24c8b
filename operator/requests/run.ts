import type { HostRequestStatus } from '@keelson/api'
import { timestamp } from '../conditions.ts'
import type { Outcome } from './outcome.ts'
import { verdictOf, type Verdict } from './request-status.ts'
import type { Target, Targets } from './targets.ts'

/** Sends the request to one target. Failures are outcomes; rejects only if the signal is aborted. */
export type Deliver = (target: Target, signal: AbortSignal) => Promise<Outcome>

export type RunOptions = {
  readonly id: string
  readonly startTime: string
  readonly targets: Targets
  /** Deliveries at a time, at most. */
  readonly parallelism: number
  readonly deliver: Deliver
  /** Told of every outcome and of the end, not of an abort; must not throw. */
  readonly changed: (ended: boolean) => void
  readonly now: () => Date
}

/** One generation of a HostRequest carried out: each target gets the request once, at most `parallelism` at a time. Begins at once. */
export class Run {
  readonly #options: RunOptions
  readonly #outcomes: Outcome[] = []
  readonly #abort = new AbortController()
  readonly #done: Promise<void>
  #finishTime: string | undefined

  constructor(options: RunOptions) {
    this.#options = options
    const { parallelism, targets } = options
    const rest = targets.online.values()
    const workers = Math.min(parallelism, targets.online.length)
    this.#done = this.#settle(Array.from({ length: workers }, () => this.#work(rest)))
  }

  get ended(): boolean {
    return this.#finishTime !== undefined
  }

  /** What the status says of a run. */
  get record(): HostRequestStatus['run'] {
    const { id, startTime } = this.#options
    return { id, startTime, ...(this.#finishTime === undefined ? {} : { finishTime: this.#finishTime }) }
  }

  get verdict(): Verdict {
    return verdictOf({ targets: this.#options.targets, outcomes: this.#outcomes, ended: this.ended })
  }

  /** Closes the connections in flight and sends nothing more; resolves when that is so. */
  async abort(): Promise<void> {
    this.#abort.abort()
    await this.#done
  }

  async #work(rest: Iterable<Target>): Promise<void> {
    for (const target of rest) {
      if (this.#abort.signal.aborted) return
      const outcome = await this.#deliver(target)
      if (outcome === undefined) return
      this.#outcomes.push(outcome)
      this.#options.changed(false)
    }
  }

  async #deliver(target: Target): Promise<Outcome | undefined> {
    const { signal } = this.#abort
    try {
      return await this.#options.deliver(target, signal)
    } catch (error) {
      if (signal.aborted) return undefined
      // A mistake of ours at one host must not keep the others from their outcome, nor the run from its end.
      const message = `the operator failed: ${error instanceof Error ? error.name : 'unknown'}`
      return { host: target.host, outcome: 'unknown', reason: 'InternalError', message }
    }
  }

  async #settle(workers: readonly Promise<void>[]): Promise<void> {
    await Promise.all(workers)
    if (this.#abort.signal.aborted) return
    const { changed, now } = this.#options
    this.#finishTime = timestamp(now())
    changed(true)
  }
}

/** Deliveries at a time: the number itself, or the percentage of the targets, rounded up. */
export function parallelismOf(wanted: number | string, targets: number): number {
  const percentage = typeof wanted === 'string' ? Number(wanted.replace('%', '')) : undefined
  return Math.max(1, percentage === undefined ? Number(wanted) : Math.ceil((targets * percentage) / 100))
}
