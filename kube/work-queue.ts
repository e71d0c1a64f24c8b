import { exponentialDelay, type BackoffOptions } from './backoff.ts'
import { systemClock, type Clock } from './clock.ts'
import { noMetrics, type MetricsSink } from './metrics.ts'

export interface WorkQueueOptions {
  /** Waiting time of a key after its n-th failure in a row. Default 5 ms to 1000 s. */
  readonly backoff?: BackoffOptions
  readonly clock?: Clock
  /** Label of its metrics. Default `unnamed`. */
  readonly name?: string
  readonly metrics?: MetricsSink
}

/**
 * Keys that have work, in the order in which they came; the semantics are those of client-go's work queue. A key is there once however often it is added,
 * is never held by two at a time, and one that is added while somebody holds it comes back when he is done. So no change is missed and none is worked on twice.
 */
export class WorkQueue {
  readonly #backoff: BackoffOptions
  readonly #clock: Clock
  readonly #labels: { readonly name: string }
  readonly #metrics: MetricsSink
  /** Keys that have work, whether waiting or held, and since when. */
  readonly #dirty = new Map<string, number>()
  /** Keys that are held, and since when. */
  readonly #processing = new Map<string, number>()
  /** Dirty and not processing, oldest first. */
  readonly #ready: string[] = []
  readonly #delayed = new Map<string, { readonly at: number; readonly cancel: () => void }>()
  readonly #failures = new Map<string, number>()
  readonly #takers: ((key: string | undefined) => void)[] = []
  #idle: PromiseWithResolvers<void> | undefined
  #shutDown = false

  constructor(options: WorkQueueOptions = {}) {
    this.#backoff = options.backoff ?? { initialMs: 5, maxMs: 1_000_000 }
    this.#clock = options.clock ?? systemClock
    this.#labels = { name: options.name ?? 'unnamed' }
    this.#metrics = options.metrics ?? noMetrics
    this.#metrics.add('workqueue_adds_total', this.#labels, 0)
    this.#metrics.add('workqueue_retries_total', this.#labels, 0)
    this.#measureDepth()
  }

  /** Keys that could be taken now. */
  get length(): number {
    return this.#ready.length
  }

  add(key: string): void {
    if (this.#shutDown || this.#dirty.has(key)) return
    this.#dirty.set(key, this.#clock.now())
    this.#metrics.add('workqueue_adds_total', this.#labels, 1)
    if (!this.#processing.has(key)) this.#offer(key)
  }

  /** Adds the key after a while; of several such wishes the earliest holds. */
  addAfter(key: string, delayMs: number): void {
    if (this.#shutDown) return
    if (!(delayMs > 0)) {
      this.add(key)
      return
    }
    const at = this.#clock.now() + delayMs
    const planned = this.#delayed.get(key)
    if (planned && planned.at <= at) return
    planned?.cancel()
    const cancel = this.#clock.schedule(delayMs, () => {
      this.#delayed.delete(key)
      this.add(key)
    })
    this.#delayed.set(key, { at, cancel })
  }

  /** Counts a failure of the key and adds it after its backoff, or after `minimumMs` where that is longer. */
  addRateLimited(key: string, minimumMs = 0): void {
    const failures = this.failures(key)
    this.#metrics.add('workqueue_retries_total', this.#labels, 1)
    this.#failures.set(key, failures + 1)
    this.addAfter(key, Math.max(minimumMs, exponentialDelay(this.#backoff, failures)))
  }

  /** The key succeeded, or is given up: its next failure waits for the shortest time again. */
  forget(key: string): void {
    this.#failures.delete(key)
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0
  }

  /** Takes the next key, waiting for one; whoever got it must call `done`. Undefined: the signal is aborted, or the queue is shut down and empty. */
  async get(signal?: AbortSignal): Promise<string | undefined> {
    if (signal?.aborted === true) return undefined
    const key = this.#ready.shift()
    if (key !== undefined) {
      this.#measureDepth()
      this.#hold(key)
      return key
    }
    if (this.#shutDown) return undefined
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    const abort = (): void => {
      const place = this.#takers.indexOf(resolve)
      if (place >= 0) this.#takers.splice(place, 1)
      resolve(undefined)
    }
    this.#takers.push(resolve)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      return await promise
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /** The key is not held any more. If it was added meanwhile, it goes to the end of the queue. */
  done(key: string): void {
    const since = this.#processing.get(key)
    if (since === undefined) return
    this.#processing.delete(key)
    this.#metrics.observe('workqueue_work_duration_seconds', this.#labels, (this.#clock.now() - since) / 1_000)
    if (this.#dirty.has(key)) this.#offer(key)
    this.#checkIdle()
  }

  /** Nothing is added from now on, also nothing that was to come later; what is in the queue can still be taken. */
  shutDown(): void {
    this.#shutDown = true
    for (const { cancel } of this.#delayed.values()) cancel()
    this.#delayed.clear()
    for (const take of this.#takers.splice(0)) take(undefined)
  }

  /** Shuts down and resolves when everything in the queue was taken and is done. */
  async drain(): Promise<void> {
    this.shutDown()
    this.#idle ??= Promise.withResolvers()
    this.#checkIdle()
    await this.#idle.promise
  }

  #offer(key: string): void {
    const take = this.#takers.shift()
    if (!take) {
      this.#ready.push(key)
      this.#measureDepth()
      return
    }
    this.#hold(key)
    take(key)
  }

  #hold(key: string): void {
    const now = this.#clock.now()
    const waited = now - (this.#dirty.get(key) ?? now)
    this.#metrics.observe('workqueue_queue_duration_seconds', this.#labels, waited / 1_000)
    this.#dirty.delete(key)
    this.#processing.set(key, now)
  }

  #measureDepth(): void {
    this.#metrics.set('workqueue_depth', this.#labels, this.#ready.length)
  }

  #checkIdle(): void {
    if (this.#ready.length === 0 && this.#processing.size === 0) this.#idle?.resolve()
  }
}
