import { aborted } from './abortable.ts'
import { KubeError } from './errors.ts'
import { noMetrics, type MetricsSink } from './metrics.ts'
import { within } from './within.ts'
import { WorkQueue } from './work-queue.ts'

/** Thrown by a reconcile that trying again would not help, until something changes. */
export class TerminalError extends Error {
  readonly code = 'Terminal'

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'TerminalError'
  }
}

export interface ReconcileResult {
  /** Reconcile again after this many milliseconds, even if nothing changes. */
  readonly requeueAfterMs?: number | undefined
}

export interface ControllerOptions {
  /**
   * Makes the world as the object named by the key wants it: level-triggered, so it reads what is now and never asks what happened. It is not called for
   * one key twice at a time. The signal is aborted when the controller stops and the time to finish is over.
   */
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult | void>
  /** Nothing is reconciled before all of these are synced: half a cache looks like deletions. */
  readonly sources: readonly { synced(signal?: AbortSignal): Promise<void> }[]
  /** Keys reconciled at a time; default 1. */
  readonly concurrency?: number
  readonly queue?: WorkQueue
  /** How long reconciles in flight may go on after the stop before their signal is aborted. Default 10 s. */
  readonly stopTimeoutMs?: number
  /** Told of every failed reconcile. */
  readonly onError?: (key: string, error: unknown) => void
  /** Label of its metrics and of those of its queue, unless `queue` is given. Default `unnamed`. */
  readonly name?: string
  readonly metrics?: MetricsSink
}

export interface ControllerCounters {
  readonly success: number
  readonly requeueAfter: number
  readonly error: number
  readonly terminal: number
}

/** For a reconcile that heeds its signal at all. */
const abortTimeoutMs = 1_000

/** Takes keys from a work queue and reconciles them until it is stopped. */
export class Controller {
  readonly #options: ControllerOptions
  readonly #queue: WorkQueue
  readonly #labels: { readonly controller: string }
  readonly #metrics: MetricsSink
  readonly #counters = { success: 0, requeueAfter: 0, error: 0, terminal: 0 }
  readonly #active = new Set<string>()

  constructor(options: ControllerOptions) {
    this.#options = options
    const { name = 'unnamed', metrics = noMetrics, concurrency = 1 } = options
    this.#labels = { controller: name }
    this.#metrics = metrics
    this.#queue = options.queue ?? new WorkQueue({ name, metrics })
    for (const result of ['success', 'requeue_after', 'error'] as const) this.#count(result, 0)
    metrics.add('controller_runtime_reconcile_errors_total', this.#labels, 0)
    metrics.add('controller_runtime_terminal_reconcile_errors_total', this.#labels, 0)
    metrics.set('controller_runtime_max_concurrent_reconciles', this.#labels, concurrency)
    metrics.set('controller_runtime_active_workers', this.#labels, 0)
  }

  get counters(): ControllerCounters {
    return { ...this.#counters }
  }

  /** Keys waiting to be reconciled now. */
  get queueLength(): number {
    return this.#queue.length
  }

  enqueue(key: string): void {
    this.#queue.add(key)
  }

  /**
   * Runs until the signal is aborted and what is in flight has ended; what still waits then is left, for the next start lists everything anew. A
   * controller runs once.
   *
   * @throws KubeError `StopTimeout`, naming the keys whose reconcile went on even after its signal was aborted.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { sources, concurrency = 1, stopTimeoutMs = 10_000 } = this.#options
    const overdue = new AbortController()
    try {
      await Promise.all(sources.map((source) => source.synced(signal)))
      const all = Array.from({ length: concurrency }, () => this.#work(signal, overdue.signal))
      const workers = Promise.all(all).then(() => true)
      await aborted(signal)
      if (await within(workers, stopTimeoutMs)) return
      overdue.abort(new KubeError({ code: 'StopTimeout', message: `stopping: not done within ${stopTimeoutMs} ms` }))
      if (await within(workers, abortTimeoutMs)) return
      const keys = [...this.#active].toSorted().join(', ')
      throw new KubeError({
        code: 'StopTimeout',
        message: `the controller stopped while these were in flight: ${keys}`,
      })
    } catch (error) {
      if (error !== signal.reason) throw error
    } finally {
      this.#queue.shutDown()
    }
  }

  async #work(stop: AbortSignal, overdue: AbortSignal): Promise<void> {
    for (let key = await this.#queue.get(stop); key !== undefined; key = await this.#queue.get(stop)) {
      this.#active.add(key)
      if (!stop.aborted) await this.#timed(key, overdue)
      this.#active.delete(key)
      this.#queue.done(key)
    }
  }

  async #timed(key: string, overdue: AbortSignal): Promise<void> {
    const start = performance.now()
    this.#metrics.set('controller_runtime_active_workers', this.#labels, this.#active.size)
    await this.#reconcile(key, overdue)
    this.#metrics.set('controller_runtime_active_workers', this.#labels, this.#active.size - 1)
    const seconds = (performance.now() - start) / 1_000
    this.#metrics.observe('controller_runtime_reconcile_time_seconds', this.#labels, seconds)
  }

  async #reconcile(key: string, overdue: AbortSignal): Promise<void> {
    try {
      const result = await this.#options.reconcile(key, overdue)
      this.#queue.forget(key)
      if (result?.requeueAfterMs === undefined) {
        this.#counters.success++
        this.#count('success', 1)
      } else {
        this.#counters.requeueAfter++
        this.#count('requeue_after', 1)
        this.#queue.addAfter(key, result.requeueAfterMs)
      }
    } catch (error) {
      this.#count('error', 1)
      this.#metrics.add('controller_runtime_reconcile_errors_total', this.#labels, 1)
      if (error instanceof TerminalError) {
        this.#counters.terminal++
        this.#metrics.add('controller_runtime_terminal_reconcile_errors_total', this.#labels, 1)
        this.#queue.forget(key)
      } else {
        this.#counters.error++
        const retryAfterSeconds = error instanceof KubeError ? (error.retryAfterSeconds ?? 0) : 0
        this.#queue.addRateLimited(key, retryAfterSeconds * 1_000)
      }
      this.#report(key, error)
    }
  }

  #count(result: 'success' | 'requeue_after' | 'error', amount: number): void {
    this.#metrics.add('controller_runtime_reconcile_total', { ...this.#labels, result }, amount)
  }

  #report(key: string, error: unknown): void {
    try {
      this.#options.onError?.(key, error)
    } catch {
      // There is nobody left to tell, and the other keys must go on.
    }
  }
}
