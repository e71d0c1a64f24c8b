import { ForbiddenError, nameOf, UnauthorizedError, type Clock } from '@keelson/kube'
import type { HostRequest } from '@keelson/api'
import type { Collection } from './collection.ts'
import { changeFrames, deniedFrame, eventText, snapshotFrames, type Frame } from './frame.ts'
import type { LiveStore } from './live-store.ts'
import { coverageOf, formatResumeId, parseResumeId } from './resume-id.ts'
import {
  includes,
  problemOf,
  requestOf,
  scopeOf,
  scopeText,
  uncheckable,
  type Scope,
  type ScopeQuestions,
} from './scope.ts'

export interface FeedOptions {
  readonly account: string
  readonly topics: readonly string[]
  /** The id of the last event that the reader has, from whatever process. */
  readonly resume?: string | undefined
  /** Of this process. */
  readonly epoch: string
  readonly store: Pick<LiveStore, 'revisions' | 'hosts' | 'requests' | 'requestNamespaces'>
  readonly allows: ScopeQuestions['allows']
  /** With the person's own rights; undefined where there is none of that name. */
  readonly read: (namespace: string, name: string, signal: AbortSignal) => Promise<HostRequest | undefined>
  readonly clock: Clock
}

interface Subscription {
  readonly topic: string
  scope: Scope | undefined
  /** Has all of the topic up to the revision of the feed. */
  current: boolean
  /** Could not be told in full in the present pass. */
  failed: boolean
  checkedAt: number
  /** Not before, after a failure. */
  readAt: number
}

/** What was allowed holds for this long where the API server gives no answer any more. */
const maxUncheckedMs = 300_000
const readRetryMs = 2_000

/**
 * What one reader is to be sent, and where he stands. It buffers nothing: each pass tells what is beyond the revision of the last one, as it is by then, so a
 * reader may be as slow as he likes.
 */
export class Feed {
  readonly #options: FeedOptions
  readonly #subscriptions: readonly Subscription[]
  #revision: number
  #resumed: ReadonlySet<string>
  #namespaces = ''

  constructor(options: FeedOptions) {
    this.#options = options
    const { topics, resume, epoch, store, clock } = options
    const point = parseResumeId(resume)
    // A revision that is yet to come is none of ours either.
    const known = point?.epoch === epoch && point.revision <= store.revisions.current ? point : undefined
    this.#revision = known?.revision ?? store.revisions.current
    this.#resumed = known?.covered ?? new Set()
    const fresh = { scope: undefined, current: false, failed: false, checkedAt: clock.now(), readAt: 0 }
    this.#subscriptions = [...new Set(topics)].map((topic) => ({ topic, ...fresh }))
  }

  /** What the reader has been told up to. */
  get revision(): number {
    return this.#revision
  }

  /** Asks what the person may see by now; yields what was taken away. True at the end where all questions were answered. */
  async *authorise(signal: AbortSignal): AsyncGenerator<string, boolean> {
    let answered = true
    this.#namespaces = this.#options.store.requestNamespaces().join()
    for (const subscription of this.#subscriptions) {
      const scope = await this.#scopeFor(subscription, signal)
      if (scope === undefined) answered = false
      else yield* this.#change(subscription, scope)
    }
    return answered
  }

  /** Whether there are namespaces that nobody was asked about when the scopes were made. */
  get outgrown(): boolean {
    const { store } = this.#options
    const byNamespace = this.#subscriptions.some(({ topic, scope }) => topic === 'requests' && scope?.kind !== 'All')
    return (
      byNamespace && store.requests.latest > this.#revision && store.requestNamespaces().join() !== this.#namespaces
    )
  }

  /**
   * Events that bring the reader to what is now. Each bears the id of what he has once he has applied it, so he may be cut off after any of them: until the
   * last one that is the revision that he has already, without the topics that begin anew.
   */
  async *pass(signal: AbortSignal): AsyncGenerator<string> {
    if (this.#subscriptions.every(({ scope }) => scope === undefined)) return
    const upTo = this.#options.store.revisions.current
    const told: Subscription[] = []
    let last: Frame | undefined
    for (const subscription of this.#subscriptions) {
      for await (const frame of this.#frames(subscription, signal)) {
        if (last !== undefined) yield eventText(last, this.#id())
        last = frame
      }
      if (!subscription.failed) told.push(subscription)
    }
    this.#revision = upTo
    // What was held of any other topic, or in another scope, is of an older revision by now.
    this.#resumed = new Set()
    for (const subscription of told) subscription.current = true
    if (last !== undefined) yield eventText(last, this.#id())
  }

  async #scopeFor({ topic, checkedAt }: Subscription, signal: AbortSignal): Promise<Scope | undefined> {
    const { allows, store, clock } = this.#options
    try {
      return await scopeOf(topic, { allows, namespaces: () => store.requestNamespaces() }, signal)
    } catch (error) {
      if (signal.aborted) throw error
      return clock.now() - checkedAt > maxUncheckedMs ? uncheckable(error) : undefined
    }
  }

  *#change(subscription: Subscription, scope: Scope): Generator<string> {
    const { account, clock } = this.#options
    const before = subscription.scope
    subscription.checkedAt = clock.now()
    if (before !== undefined && scopeText(before) === scopeText(scope)) return
    subscription.scope = scope
    // What the reader brought along is of his first scope; of any later one he holds nothing.
    const coverage = coverageOf(account, subscription.topic, scopeText(scope))
    subscription.current = before === undefined && this.#resumed.has(coverage)
    if (scope.kind === 'None') yield eventText(deniedFrame(subscription.topic, scope.problem), this.#id())
  }

  async *#frames(subscription: Subscription, signal: AbortSignal): AsyncGenerator<Frame> {
    const { topic, scope } = subscription
    subscription.failed = scope === undefined || scope.kind === 'None'
    if (scope === undefined || scope.kind === 'None') return
    const key = requestOf(topic)
    if (key === undefined) yield* this.#listFrames(subscription, scope)
    else yield* this.#requestFrames(subscription, key, signal)
  }

  *#listFrames(subscription: Subscription, scope: Scope): Generator<Frame> {
    const { topic, current } = subscription
    const { hosts, requests } = this.#options.store
    const collection: Collection = topic === 'hosts' ? hosts : requests
    const seen = (key: string): boolean => includes(scope, key)
    const changes = current ? collection.since(this.#revision, seen) : undefined
    if (changes !== undefined) {
      yield* changeFrames(topic, changes.upserts, changes.removals)
      return
    }
    const rows = [...collection.entries()].filter((entry) => seen(entry.key)).map(({ json }) => json)
    yield* snapshotFrames(topic, rows)
  }

  /** Whole, read with the person's own rights whenever the shared watch tells that it is another one. */
  async *#requestFrames(subscription: Subscription, key: string, signal: AbortSignal): AsyncGenerator<Frame> {
    const { store, read, clock } = this.#options
    const { topic, current, readAt } = subscription
    if (current && store.requests.revisionOf(key) <= this.#revision) return
    // It is told as a whole once it can be read.
    subscription.current = false
    subscription.failed = true
    if (clock.now() < readAt) return
    const { namespace = '', name } = nameOf(key)
    try {
      const request = await read(namespace, name, signal)
      subscription.failed = false
      const rows = request === undefined ? [] : [JSON.stringify(request)]
      if (!current) yield* snapshotFrames(topic, rows)
      else
        yield* changeFrames(
          topic,
          rows.map((json) => ({ json })),
          request === undefined ? [key] : [],
        )
    } catch (error) {
      if (signal.aborted) throw error
      subscription.readAt = clock.now() + readRetryMs
      if (!(error instanceof ForbiddenError || error instanceof UnauthorizedError)) return
      const problem = problemOf(error)
      subscription.scope = { kind: 'None', problem }
      yield deniedFrame(topic, problem)
    }
  }

  #id(): string {
    const { account, epoch } = this.#options
    const covered = this.#subscriptions.flatMap(({ topic, scope, current }) =>
      current && scope !== undefined && scope.kind !== 'None' ? [coverageOf(account, topic, scopeText(scope))] : [],
    )
    return formatResumeId({ epoch, revision: this.#revision, covered: new Set(covered) })
  }
}
