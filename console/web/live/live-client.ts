import { livePath, type LiveEvent } from '../../protocol/live.ts'
import type { Problem } from '../../protocol/problem.ts'
import { applyEvents, nothingKnown, type Row, type TopicEvent, type TopicState } from './topic-state.ts'

export interface Connection {
  /** Idle: no page has asked for anything. Connecting: for the first time. Stale: the stream is broken, or the console has lost the API server. */
  readonly state: 'Idle' | 'Connecting' | 'Live' | 'Stale'
  /** Who is away. */
  readonly lost?: 'Console' | 'Cluster'
  /** Since when, on the clock of performance.now(), in milliseconds. */
  readonly since?: number
}

export interface TopicView {
  readonly state: 'Loading' | 'Live' | 'Stale' | 'Denied'
  readonly list: readonly Row[]
  readonly rows: ReadonlyMap<string, Row>
  readonly problem?: Problem
}

export interface LiveDependencies {
  readonly open: (url: string) => EventSource
  readonly later: (milliseconds: number, run: () => void) => () => void
  readonly now: () => number
  readonly random: () => number
  /** The stream was refused or broke: whether somebody is still signed in is worth a question. */
  readonly refused: () => void
}

/** Events are taken up at most this often: what comes between is rendered once. */
const batchMilliseconds = 100
/** Topics that pages ask for in one go, as they mount, lead to one stream. */
const settleMilliseconds = 20
const firstRetryMilliseconds = 1_000
const lastRetryMilliseconds = 30_000
/** The server says something every 15 s at least: after more than twice that the connection is dead, whatever the browser believes. */
const silenceMilliseconds = 40_000

const eventTypes = ['snapshot', 'changes', 'denied', 'lag'] as const

interface Topic {
  readonly listeners: Set<() => void>
  state: TopicState
  pending: TopicEvent[]
  view: TopicView
}

/**
 * The one stream of this tab: topics that pages ask for, and what is known of each. A topic that nobody asks for any more stays in the stream until that is
 * opened anew for another reason: going from page to page costs nothing.
 */
export class LiveClient {
  readonly #dependencies: LiveDependencies
  readonly #topics = new Map<string, Topic>()
  readonly #connectionListeners = new Set<() => void>()
  #connection: Connection = { state: 'Idle' }
  #source: EventSource | undefined
  #streamed: ReadonlySet<string> = new Set()
  #lastEventId = ''
  #failures = 0
  #clusterLost: number | undefined
  #cancelFlush: (() => void) | undefined
  #cancelOpen: (() => void) | undefined
  #cancelSilence: (() => void) | undefined

  constructor(dependencies: LiveDependencies) {
    this.#dependencies = dependencies
  }

  subscribe(name: string, listener: () => void): () => void {
    const topic = this.#topic(name)
    topic.listeners.add(listener)
    if (!this.#streamed.has(name)) this.#openLater(settleMilliseconds)
    return () => topic.listeners.delete(listener)
  }

  /** The same object until something about it changes. */
  view(name: string): TopicView {
    return this.#topic(name).view
  }

  subscribeConnection(listener: () => void): () => void {
    this.#connectionListeners.add(listener)
    return () => this.#connectionListeners.delete(listener)
  }

  get connection(): Connection {
    return this.#connection
  }

  /** Another try at once: the network is back, or the tab is looked at again. Does nothing while the stream is open. */
  wake(): void {
    if (this.#source?.readyState !== 1 && this.#streamed.size > 0) this.#openLater(0)
  }

  /** Ends the stream and forgets everything: whoever signs in next starts from nothing. */
  close(): void {
    this.#cancelOpen?.()
    this.#cancelFlush?.()
    this.#cancelSilence?.()
    this.#cancelOpen = this.#cancelFlush = this.#cancelSilence = undefined
    this.#source?.close()
    this.#source = undefined
    this.#streamed = new Set()
    this.#lastEventId = ''
    this.#failures = 0
    this.#clusterLost = undefined
    for (const topic of this.#topics.values()) {
      topic.state = nothingKnown
      topic.pending = []
    }
    this.#setConnection({ state: 'Idle' })
  }

  #topic(name: string): Topic {
    const present = this.#topics.get(name)
    if (present !== undefined) return present
    const topic: Topic = { listeners: new Set(), state: nothingKnown, pending: [], view: viewOf(nothingKnown, false) }
    this.#topics.set(name, topic)
    return topic
  }

  #openLater(milliseconds: number): void {
    this.#cancelOpen?.()
    this.#cancelOpen = this.#dependencies.later(milliseconds, () => {
      this.#cancelOpen = undefined
      this.#open()
    })
  }

  #open(): void {
    this.#flush()
    this.#source?.close()
    const wanted = [...this.#topics].filter(isWanted).map(([name]) => name)
    const resumes = this.#lastEventId !== '' && wanted.every((name) => this.#streamed.has(name))
    const topics = resumes ? [...this.#streamed] : wanted
    if (topics.length === 0) return
    for (const name of this.#topics.keys()) if (!topics.includes(name)) this.#topics.delete(name)
    this.#streamed = new Set(topics)
    if (this.#connection.state === 'Idle') this.#setConnection({ state: 'Connecting' })
    const search = new URLSearchParams(topics.map((name) => ['topic', name]))
    if (resumes) search.set('since', this.#lastEventId)
    else this.#lastEventId = ''
    const source = this.#dependencies.open(`${livePath}?${search}`)
    this.#source = source
    this.#heard(source)
    source.addEventListener('open', () => {
      this.#failures = 0
      this.#heard(source)
      this.#connected()
    })
    source.addEventListener('error', () => this.#broken(source))
    for (const type of eventTypes)
      source.addEventListener(type, (event) => {
        this.#heard(source)
        this.#take(event as MessageEvent<string>)
      })
  }

  #take(message: MessageEvent<string>): void {
    if (message.lastEventId !== '') this.#lastEventId = message.lastEventId
    const event = JSON.parse(message.data) as LiveEvent
    if (event.type === 'lag') {
      this.#clusterLost = event.connected ? undefined : this.#dependencies.now() - event.sinceSeconds * 1_000
      this.#connected()
      return
    }
    const topic = this.#topics.get(event.topic)
    if (topic === undefined) return
    topic.pending.push(event)
    this.#cancelFlush ??= this.#dependencies.later(batchMilliseconds, () => this.#flush())
  }

  #flush(): void {
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
    for (const topic of this.#topics.values()) {
      if (topic.pending.length === 0) continue
      topic.state = applyEvents(topic.state, topic.pending)
      topic.pending = []
      this.#show(topic)
    }
  }

  #heard(source: EventSource): void {
    this.#cancelSilence?.()
    this.#cancelSilence = this.#dependencies.later(silenceMilliseconds, () => {
      source.close()
      this.#broken(source)
    })
  }

  /** An EventSource tries again by itself after a broken stream, and gives up after an answer that is none, such as 401 or 502. */
  #broken(source: EventSource): void {
    if (source !== this.#source) return
    const since = this.#connection.lost === 'Console' ? this.#connection.since : undefined
    this.#setConnection({ state: 'Stale', lost: 'Console', since: since ?? this.#dependencies.now() })
    if (source.readyState !== 2) return
    this.#dependencies.refused()
    const wait = Math.min(lastRetryMilliseconds, firstRetryMilliseconds * 2 ** this.#failures)
    this.#failures += 1
    // Up to half of it less: tabs that lost the console together do not come back together.
    this.#openLater(wait * (1 - this.#dependencies.random() / 2))
  }

  #connected(): void {
    this.#setConnection(
      this.#clusterLost === undefined
        ? { state: 'Live' }
        : { state: 'Stale', lost: 'Cluster', since: this.#clusterLost },
    )
  }

  #setConnection(connection: Connection): void {
    this.#connection = connection
    for (const listener of this.#connectionListeners) listener()
    for (const topic of this.#topics.values()) this.#show(topic)
  }

  #show(topic: Topic): void {
    const view = viewOf(topic.state, this.#connection.state === 'Stale')
    if (view.state === topic.view.state && view.list === topic.view.list && view.problem === topic.view.problem) return
    topic.view = view
    for (const listener of topic.listeners) listener()
  }
}

/** Lists are wanted by so many pages that they stay once they were. */
function isWanted([name, { listeners }]: readonly [string, Topic]): boolean {
  return listeners.size > 0 || name === 'hosts' || name === 'requests'
}

function viewOf({ phase, list, rows, problem }: TopicState, stale: boolean): TopicView {
  const state = phase === 'Held' ? (stale ? 'Stale' : 'Live') : phase
  return { state, list, rows, ...(problem === undefined ? {} : { problem }) }
}
