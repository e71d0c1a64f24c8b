import { setTimeout as wait } from 'node:timers/promises'
import { abortable } from './abortable.ts'
import { Backoff, type BackoffOptions } from './backoff.ts'
import type { KubeClient, ObjectList, Selection } from './client.ts'
import { Deadline } from './deadline.ts'
import { ConnectionError, ExpiredError, KubeError } from './errors.ts'
import type { Kind } from './kinds.ts'
import type { KubernetesObject } from './object.ts'
import { noMetrics, type MetricsSink } from './metrics.ts'
import { Store, type Change, type ReadonlyStore } from './store.ts'

/** `S` is what the store holds of each `T`: the object itself, or what `transform` makes of it. */
export interface ReflectorOptions<T extends KubernetesObject, S extends KubernetesObject = T> extends Selection {
  readonly client: KubeClient
  readonly kind: Kind<T>
  /**
   * What is kept of an object, made before it is stored: of a list, page by page. Pure. Name, namespace, uid and resourceVersion of the metadata have to
   * stay. Default: the object without its managedFields.
   */
  readonly transform?: (object: T) => S
  /** Told whenever a watch was accepted, and when it ended: until the next one is accepted the store is behind. */
  readonly onConnection?: (connected: boolean) => void
  /** Told of every failed LIST or watch and of every listener that throws; the reflector goes on by itself. */
  readonly onError?: (error: unknown) => void
  /** Objects a page; default 500. */
  readonly pageSize?: number
  /**
   * A watch on which nothing arrives for this long is given up and the kind is listed anew. Default 100 s: bookmarks come about every 60 s, and a watch
   * from a state that the server does not have yet (etcd restored from a backup) is silent for ever.
   */
  readonly inactivityMs?: number
  /** After about this long the server is asked to end a watch in good order, so that connections do not stay with one server for ever. Default 290. */
  readonly watchSeconds?: number
  /** Default 100 ms to 30 s. */
  readonly backoff?: BackoffOptions
  /** Uniform in [0, 1). */
  readonly random?: () => number
  /** Its metrics bear the name of the kind. */
  readonly metrics?: MetricsSink
}

export interface ReflectorCounters {
  /** LISTs that were completed; the first one included. */
  readonly lists: number
  /** Watches that were opened. */
  readonly watches: number
  /** 410 as the HTTP status of a LIST or watch. */
  readonly expiredAnswers: number
  /** 410 as an ERROR event within a watch. */
  readonly expiredEvents: number
  /** Watches given up because nothing arrived. */
  readonly silences: number
  /** LISTs and watches that failed in whatever way, those above included. */
  readonly failures: number
  readonly listenerFailures: number
}

const metricNames = {
  lists: 'reflector_lists_total',
  watches: 'reflector_watches_total',
  expiredAnswers: 'reflector_expired_answers_total',
  expiredEvents: 'reflector_expired_events_total',
  silences: 'reflector_silences_total',
  failures: 'reflector_failures_total',
  listenerFailures: 'reflector_listener_failures_total',
} as const satisfies Record<keyof ReflectorCounters, string>

type Phase =
  | { readonly name: 'listing' }
  | { readonly name: 'watching'; readonly resourceVersion: string }
  | { readonly name: 'waiting'; readonly delayMs: number; readonly next: Phase }

const listing: Phase = { name: 'listing' }
/** A watch that lived for this long, or brought an event, worked: the next failure starts with the shortest wait again. */
const provenMs = 10_000

/**
 * Keeps a store equal to what the API server has: listing → watching, and back to listing where the position in the history is lost. A dropped watch is
 * taken up where it was. LISTs are consistent reads, so no listener sees an older version of an object after a newer one; versions in between may be
 * skipped.
 */
export class Reflector<T extends KubernetesObject, S extends KubernetesObject = T> {
  readonly #options: ReflectorOptions<T, S>
  readonly #transform: (object: T) => S
  readonly #selection: Selection
  readonly #backoff: Backoff
  readonly #random: () => number
  readonly #metrics: MetricsSink
  readonly #store = new Store<S>()
  readonly #listeners = new Set<(change: Change<S>) => void>()
  readonly #synced = Promise.withResolvers<void>()
  readonly #counters = {
    lists: 0,
    watches: 0,
    expiredAnswers: 0,
    expiredEvents: 0,
    silences: 0,
    failures: 0,
    listenerFailures: 0,
  }
  #phase: Phase = listing
  #running = false

  constructor(options: ReflectorOptions<T, S>) {
    this.#options = options
    this.#transform = options.transform ?? ((object) => object as unknown as S)
    const { namespace, labelSelector, fieldSelector } = options
    this.#selection = { namespace, labelSelector, fieldSelector }
    this.#random = options.random ?? Math.random
    this.#backoff = new Backoff(options.backoff ?? { initialMs: 100, maxMs: 30_000 }, this.#random)
    this.#metrics = options.metrics ?? noMetrics
    for (const name of Object.keys(metricNames)) this.#count(name as keyof ReflectorCounters, 0)
  }

  get store(): ReadonlyStore<S> {
    return this.#store
  }

  get phase(): Phase['name'] {
    return this.#phase.name
  }

  get counters(): ReflectorCounters {
    return { ...this.#counters }
  }

  /**
   * Calls `listener` for every change after the store has it; for what the store holds already, at once and as `added`. Returns how to stop that. A
   * listener that throws is reported to `onError` and keeps nobody else from hearing.
   */
  onChange(listener: (change: Change<S>) => void): () => void {
    this.#listeners.add(listener)
    for (const object of this.#store.list()) this.#tell(listener, { type: 'added', object, previous: undefined })
    return () => this.#listeners.delete(listener)
  }

  /** Resolves when the first LIST is in the store and told to the listeners. */
  async synced(signal?: AbortSignal): Promise<void> {
    await abortable(this.#synced.promise, signal)
  }

  /** Runs until the signal is aborted; no failure of the API server ends it. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#running) throw new KubeError({ code: 'AlreadyRunning', message: 'this reflector is running already' })
    this.#running = true
    try {
      while (!signal.aborted) this.#phase = await this.#step(this.#phase, signal)
    } finally {
      this.#running = false
    }
  }

  async #step(phase: Phase, signal: AbortSignal): Promise<Phase> {
    if (phase.name === 'listing') return this.#list(signal)
    if (phase.name === 'watching') return this.#watch(phase.resourceVersion, signal)
    await wait(phase.delayMs, undefined, { signal }).catch(() => undefined)
    return phase.next
  }

  async #list(signal: AbortSignal): Promise<Phase> {
    try {
      const list = await this.#readAll(signal)
      this.#count('lists')
      for (const change of this.#store.replace(list.items)) this.#notify(change)
      this.#synced.resolve()
      return { name: 'watching', resourceVersion: list.resourceVersion }
    } catch (error) {
      if (signal.aborted) return listing
      if (error instanceof ExpiredError) this.#count('expiredAnswers')
      return this.#retry(listing, error)
    }
  }

  /** Never holds more than a page of objects as they came. */
  async #readAll(signal: AbortSignal): Promise<ObjectList<S>> {
    const { client, kind, pageSize } = this.#options
    const items: S[] = []
    for (let continueToken: string | undefined; ;) {
      const page = await client.listPage(kind, { ...this.#selection, limit: pageSize, continueToken }, signal)
      for (const item of page.items) items.push(this.#transform(item))
      continueToken = page.continueToken
      if (continueToken === undefined) return { items, resourceVersion: page.resourceVersion }
    }
  }

  async #watch(from: string, signal: AbortSignal): Promise<Phase> {
    const { client, kind, inactivityMs = 100_000, watchSeconds = 290 } = this.#options
    const opened = performance.now()
    let resourceVersion = from
    let accepted = false
    let proven = false
    using silence = new Deadline(inactivityMs, () => silent(kind.kind, inactivityMs), signal)
    try {
      const timeoutSeconds = Math.round(watchSeconds * (0.9 + this.#random() / 5))
      const options = { ...this.#selection, resourceVersion, timeoutSeconds }
      const events = await client.watch(kind, options, silence.signal)
      accepted = true
      this.#count('watches')
      this.#connection(true)
      for await (const event of events) {
        silence.restart()
        if (event.type !== 'BOOKMARK') {
          const change = this.#store.apply({ ...event, object: this.#transform(event.object) })
          if (change) this.#notify(change)
        }
        resourceVersion = event.resourceVersion
        proven = true
      }
      const next: Phase = { name: 'watching', resourceVersion }
      if (proven || performance.now() - opened >= provenMs) {
        this.#backoff.reset()
        return next
      }
      // Ended in good order, but at once: a server that is going down, or a proxy that cannot stream.
      return { name: 'waiting', delayMs: this.#backoff.nextMs(), next }
    } catch (error) {
      const here: Phase = { name: 'watching', resourceVersion }
      if (signal.aborted) return here
      if (proven || performance.now() - opened >= provenMs) this.#backoff.reset()
      if (error instanceof ExpiredError) this.#count(accepted ? 'expiredEvents' : 'expiredAnswers')
      if (error === silence.signal.reason) this.#count('silences')
      return this.#retry(isDropped(error, accepted) ? here : listing, error)
    } finally {
      if (accepted) this.#connection(false)
    }
  }

  #connection(connected: boolean): void {
    try {
      this.#options.onConnection?.(connected)
    } catch (error) {
      this.#report(error)
    }
  }

  #retry(next: Phase, error: unknown): Phase {
    this.#count('failures')
    this.#report(error)
    const asked = error instanceof KubeError ? (error.retryAfterSeconds ?? 0) * 1_000 : 0
    return { name: 'waiting', delayMs: Math.max(asked, this.#backoff.nextMs()), next }
  }

  #notify(change: Change<S>): void {
    // A copy: who begins to listen from within a listener has this change from the store already.
    for (const listener of [...this.#listeners]) this.#tell(listener, change)
  }

  #tell(listener: (change: Change<S>) => unknown, change: Change<S>): void {
    const failed = (error: unknown): void => {
      this.#count('listenerFailures')
      this.#report(error)
    }
    try {
      const result = listener(change)
      // An async function passes for a listener; its rejection must not end the process.
      if (result instanceof Promise) result.catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  #count(counter: keyof ReflectorCounters, amount = 1): void {
    this.#counters[counter] += amount
    this.#metrics.add(metricNames[counter], { name: this.#options.kind.kind }, amount)
  }

  #report(error: unknown): void {
    try {
      this.#options.onError?.(error)
    } catch {
      // There is nobody left to tell, and the store must go on.
    }
  }
}

/** The position in the history still holds: a connection was lost, or the server too busy to open a watch. In every other case a LIST is never wrong. */
function isDropped(error: unknown, accepted: boolean): boolean {
  if (error instanceof ConnectionError) return error.code !== 'WatchUnreadable' && error.code !== 'WatchSilent'
  return !accepted && error instanceof KubeError && (error.status === 429 || error.status >= 500)
}

function silent(kind: string, inactivityMs: number): ConnectionError {
  const message = `watch of ${kind}: nothing arrived for ${inactivityMs} ms, not even a bookmark; listing anew`
  return new ConnectionError({ code: 'WatchSilent', message, retryable: true })
}
