import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import type { KubeClient } from './client.ts'
import { Controller, TerminalError, type ReconcileResult } from './controller.ts'
import { AlreadyExistsError, ForbiddenError, KubeError, NotFoundError, UnauthorizedError } from './errors.ts'
import { defineKind, type Kind } from './kinds.ts'
import { noMetrics, type MetricLabels, type MetricsSink } from './metrics.ts'
import type { KubernetesObject, ObjectMeta } from './object.ts'
import { WorkQueue } from './work-queue.ts'

/** What happened to an object. */
export interface EventContent {
  readonly type: 'Normal' | 'Warning'
  /** Why, in UpperCamelCase and at most 128 characters; of a small fixed set, since people filter by it. */
  readonly reason: string
  /** What was being done, likewise. */
  readonly action: string
  /** For people, without secrets; cut at 1 KiB. Equal notes are counted, so no times or counters in it. */
  readonly note: string
}

export interface EventRecorderOptions {
  readonly client: Pick<KubeClient, 'create' | 'patch'>
  /** Who says so, as `keelson.dev/operator`. */
  readonly reportingController: string
  /** Which of its processes; default the host's name. */
  readonly reportingInstance?: string
  /** Told why events are not written. */
  readonly onError?: (error: unknown) => void
  readonly metrics?: MetricsSink
  /** How often the count of a repeated event is written. Default 60 s. */
  readonly seriesIntervalMs?: number
  /** After this long without another one an event is forgotten; its next occurrence is a new one. Default 10 min. */
  readonly idleMs?: number
  /** Writes a second, after a burst of 25. Default 5. */
  readonly writesPerSecond?: number
}

interface EventSeries {
  readonly count: number
  readonly lastObservedTime: string
}

interface EventObject extends KubernetesObject, EventContent {
  readonly eventTime: string
  readonly series?: EventSeries
  readonly reportingController: string
  readonly reportingInstance: string
  readonly regarding: Readonly<Record<string, string | undefined>>
}

interface Entry {
  readonly draft: Omit<EventObject, 'series'>
  readonly subject: string
  count: number
  lastObservedTime: string
  /** The count that the API server has. */
  written: number
  failures: number
}

const eventKind: Kind<EventObject> = defineKind<EventObject>({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
})

const burst = 25
const maxEntries = 1_024
/** Different events of one object that are remembered at a time: one object that goes mad does not silence the others. */
const maxEntriesOfSubject = 25
/** Some two minutes. */
const maxFailures = 8
const maxNoteBytes = 1_024

/**
 * Tells people about objects through Events, as `kubectl describe` shows them. Equal events become one with a count; writes are paced, memory is bounded, and
 * what does not fit or cannot be written is counted in the metrics and dropped: an Event is a help, never a record. What is not yet written when
 * it stops is lost.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions
  readonly #metrics: MetricsSink
  readonly #entries = new Map<string, Entry>()
  /** Entries of each object, by its uid. */
  readonly #subjects = new Map<string, number>()
  readonly #queue = new WorkQueue({ backoff: { initialMs: 1_000, maxMs: 60_000 } })
  #tokens = burst
  #tokensAt = performance.now()

  constructor(options: EventRecorderOptions) {
    this.#options = options
    this.#metrics = options.metrics ?? noMetrics
    this.#metrics.add('events_written_total', {}, 0)
  }

  /** Returns at once and never throws. Events of cluster-scoped objects go to the namespace `default`, where kubectl looks for them. */
  record(kind: Kind<KubernetesObject>, object: { readonly metadata: ObjectMeta }, content: EventContent): void {
    const { metadata } = object
    const { type, reason, action } = content
    const note = cut(content.note, maxNoteBytes)
    const subject = metadata.uid ?? `${kind.kind} ${metadata.namespace}/${metadata.name}`
    const key = JSON.stringify([subject, type, reason, action, note])
    const now = microTime()
    const known = this.#entries.get(key)
    if (known) {
      known.count++
      known.lastObservedTime = now
      this.#queue.addAfter(key, this.#options.seriesIntervalMs ?? 60_000)
      return
    }
    const siblings = this.#subjects.get(subject) ?? 0
    if (siblings >= maxEntriesOfSubject) return this.#discard('flood')
    if (this.#entries.size >= maxEntries) return this.#discard('overflow')
    this.#subjects.set(subject, siblings + 1)
    const { reportingController, reportingInstance = hostname().slice(0, 128) } = this.#options
    const draft = {
      metadata: {
        // A name that is cut must not end in a dot or hyphen.
        name: `${metadata.name.slice(0, 230).replace(/[^a-z0-9]+$/, '')}.${randomBytes(8).toString('hex')}`,
        namespace: metadata.namespace || 'default',
      },
      eventTime: now,
      ...{ type, reason, action, note, reportingController, reportingInstance },
      regarding: {
        apiVersion: kind.apiVersion,
        kind: kind.kind,
        name: metadata.name,
        namespace: metadata.namespace,
        uid: metadata.uid,
        resourceVersion: metadata.resourceVersion,
      },
    }
    this.#entries.set(key, { draft, subject, count: 1, lastObservedTime: now, written: 0, failures: 0 })
    this.#queue.add(key)
  }

  /** Writes what is recorded until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const controller = new Controller({
      queue: this.#queue,
      sources: [],
      stopTimeoutMs: 1_000,
      reconcile: (key, stop) => this.#reconcile(key, stop),
      onError: (_, error) => this.#options.onError?.(error),
    })
    await controller.run(signal)
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | void> {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    if (entry.written === entry.count) {
      this.#forget(key, entry)
      return undefined
    }
    await this.#pace(signal)
    const { count } = entry
    try {
      await this.#write(entry, signal)
    } catch (error) {
      this.#judge(key, entry, error)
    }
    entry.written = count
    entry.failures = 0
    this.#metrics.add('events_written_total', {}, 1)
    return { requeueAfterMs: this.#options.idleMs ?? 600_000 }
  }

  async #write(entry: Entry, signal: AbortSignal): Promise<void> {
    const { client } = this.#options
    const { draft, count, lastObservedTime } = entry
    const series = { series: { count, lastObservedTime } }
    if (entry.written > 0) {
      try {
        await client.patch(eventKind, draft.metadata, series, {}, signal)
        return
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error
        // Events live for an hour as a rule: it is made anew.
      }
    }
    try {
      await client.create(eventKind, { ...draft, ...(count > 1 ? series : {}) }, {}, signal)
    } catch (error) {
      // The answer to the first try was lost.
      if (!(error instanceof AlreadyExistsError)) throw error
    }
  }

  /** @throws always: what is worth another try as it is, the rest as final. */
  #judge(key: string, entry: Entry, error: unknown): never {
    const unreachable = error instanceof KubeError && error.retryable
    // An API server that has just started knows no roles yet and forbids everything.
    const mayPass = unreachable || error instanceof ForbiddenError || error instanceof UnauthorizedError
    if (mayPass && ++entry.failures < maxFailures) throw error
    this.#forget(key, entry)
    this.#discard(unreachable ? 'unreachable' : 'refused')
    throw new TerminalError(`event ${entry.draft.reason} is dropped`, { cause: error })
  }

  #forget(key: string, entry: Entry): void {
    this.#entries.delete(key)
    const siblings = this.#subjects.get(entry.subject) ?? 0
    if (siblings > 1) this.#subjects.set(entry.subject, siblings - 1)
    else this.#subjects.delete(entry.subject)
  }

  #discard(reason: MetricLabels<'events_discarded_total'>['reason']): void {
    this.#metrics.add('events_discarded_total', { reason }, 1)
  }

  async #pace(signal: AbortSignal): Promise<void> {
    const { writesPerSecond = 5 } = this.#options
    const now = performance.now()
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#tokensAt) / 1_000) * writesPerSecond) - 1
    this.#tokensAt = now
    if (this.#tokens < 0) await wait((-this.#tokens / writesPerSecond) * 1_000, undefined, { signal })
  }
}

/** metav1.MicroTime wants six digits. */
function microTime(): string {
  return `${new Date().toISOString().slice(0, -1)}000Z`
}

/** At most so many bytes of UTF-8, cut between characters. */
function cut(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= maxBytes) return text
  const start = new TextDecoder().decode(bytes.subarray(0, maxBytes - 3), { stream: true })
  return `${start}…`
}
