import { setTimeout as wait } from 'node:timers/promises'
import { ControlPlane, eventually } from '@keelson/testbed'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { KubeClient, type KubeClientOptions, type ListOptions, type ObjectPage } from './client.ts'
import type { ClientConfiguration } from './configuration.ts'
import { KubeError, NotFoundError } from './errors.ts'
import type { Kind } from './kinds.ts'
import { loadKubeconfig } from './kubeconfig.ts'
import type { KubernetesObject } from './object.ts'
import { Reflector } from './reflector.ts'
import type { Change } from './store.ts'
import { ConfigMap } from './testing/kinds.ts'
import { RecordedMetrics } from './testing/recorded-metrics.ts'
import { TcpRelay } from './testing/tcp-relay.ts'

const namespace = 'default'
const labelSelector = 'stress=yes'
const objects = 1_000
const lanes = 4
const kills = 5
const compactions = 3

let cluster: ControlPlane
let admin: ClientConfiguration

beforeAll(async () => {
  cluster = await ControlPlane.start({
    controllerManager: false,
    // Else the server may serve the pages of a forgotten state from its cache, and no LIST answers 410.
    apiServerFlags: ['--feature-gates=ListFromCacheSnapshot=false'],
  })
  admin = await loadKubeconfig(cluster.adminKubeconfig)
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

/**
 * Creates, updates and deletes without pause, whatever becomes of the API server. Each write of an object carries a number that is higher than that of the
 * write before; every name belongs to one lane, so these are sent one after the other.
 */
class Writer {
  /** Writes that the API server confirmed. */
  confirmed = 0
  unconfirmed = 0
  /** uids whose deletion was confirmed. */
  readonly deleted = new Set<string>()
  readonly #client: KubeClient
  readonly #uids = new Map<string, string>()
  #number = 0

  constructor(client: KubeClient) {
    this.#client = client
  }

  async fill(): Promise<void> {
    const fill = async (lane: number): Promise<void> => {
      for (let index = lane; index < objects; index += lanes) await this.write(`object-${index}`)
    }
    await Promise.all(Array.from({ length: lanes }, (_, lane) => fill(lane)))
  }

  async run(stop: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: lanes }, (_, lane) => this.#runLane(lane, stop)))
  }

  /** Waits for as many confirmed writes. */
  async more(count: number): Promise<void> {
    const goal = this.confirmed + count
    await eventually(`${count} more writes`, () => this.confirmed >= goal, 30_000)
  }

  async write(name: string): Promise<void> {
    const metadata = { name, namespace, labels: { stress: 'yes' } }
    const data = { number: String(++this.#number) }
    // Not known, should the answer be lost.
    this.#uids.delete(name)
    const { metadata: written } = await this.#client.apply(ConfigMap, { metadata, data })
    this.#uids.set(name, written.uid!)
    this.confirmed++
  }

  async #runLane(lane: number, stop: AbortSignal): Promise<void> {
    const size = objects / lanes
    for (let turn = 0; !stop.aborted; turn++) {
      // 37 and 250 have no divisor in common: every name has its turn, in an order that looks like none.
      const name = `object-${((turn * 37) % size) * lanes + lane}`
      try {
        if (turn % 4 === 0) await this.#delete(name)
        else await this.write(name)
      } catch (error) {
        if (!(error instanceof KubeError && error.retryable)) throw error
        this.unconfirmed++
        await wait(50)
      }
    }
  }

  async #delete(name: string): Promise<void> {
    const uid = this.#uids.get(name)
    try {
      await this.#client.delete(ConfigMap, { name, namespace }, { preconditions: { uid } })
    } catch (error) {
      if (error instanceof NotFoundError) return
      throw error
    }
    this.confirmed++
    if (uid !== undefined) this.deleted.add(uid)
  }
}

/** A client in whose next LIST, once it is armed, everything is compacted away between two pages. */
class CompactedClient extends KubeClient {
  armed = false
  compactions = 0
  readonly #writer: Writer

  constructor(options: KubeClientOptions, writer: Writer) {
    super(options)
    this.#writer = writer
  }

  override async listPage<T extends KubernetesObject>(
    kind: Kind<T>,
    options: ListOptions & { readonly continueToken?: string | undefined } = {},
    signal?: AbortSignal,
  ): Promise<ObjectPage<T>> {
    if (this.armed && options.continueToken !== undefined) {
      this.armed = false
      await this.#writer.more(1)
      await cluster.compact()
      this.compactions++
    }
    return super.listPage(kind, options, signal)
  }
}

/** Follows what a listener is told and notes everything that should not be. */
class Follower {
  readonly wrong: string[] = []
  /** What is there, as told: uid and number by name. */
  readonly state = new Map<string, { readonly uid: string; readonly number: number }>()
  readonly added = new Set<string>()
  readonly deleted = new Set<string>()
  readonly #highest = new Map<string, number>()

  take({ type, object, previous }: Change<ConfigMap>): void {
    const { name, uid } = object.metadata
    const number = Number(object.data?.['number'])
    const known = this.state.get(name)
    const highest = this.#highest.get(name) ?? 0
    // A deletion may show the object as it was last known.
    if (type === 'deleted' ? number < highest : number <= highest) {
      this.wrong.push(`${name}: ${type} ${number} after ${highest}`)
    }
    if (previous?.metadata.uid !== known?.uid || (type === 'added') !== (known === undefined)) {
      this.wrong.push(`${name}: ${type} ${uid} where ${known?.uid} was told`)
    }
    this.#highest.set(name, number)
    if (type === 'deleted') {
      this.state.delete(name)
      this.deleted.add(uid!)
    } else {
      this.state.set(name, { uid: uid!, number })
      if (type === 'added') this.added.add(uid!)
    }
  }
}

function stateOf(items: readonly ConfigMap[]): [string, object][] {
  return items.map(({ metadata, data }) => [metadata.name, { uid: metadata.uid, number: Number(data?.['number']) }])
}

test(
  '1,000 objects under a steady writer, 5 kills of the API server and 3 compactions',
  { timeout: 180_000 },
  async () => {
    await using writing = new KubeClient({ ...admin, fieldManager: 'writer' })
    await using relay = await TcpRelay.start(cluster.server)
    const writer = new Writer(writing)
    const metrics = new RecordedMetrics()
    await using reading = new CompactedClient({ ...admin, server: relay.url, fieldManager: 'reader', metrics }, writer)
    const reflector = new Reflector({
      ...{ client: reading, kind: ConfigMap, namespace, labelSelector, metrics },
      pageSize: 100,
      backoff: { initialMs: 20, maxMs: 500 },
    })
    const follower = new Follower()
    reflector.onChange((change) => follower.take(change))

    await writer.fill()
    const stop = new AbortController()
    const noMoreWrites = new AbortController()
    onTestFinished(() => {
      stop.abort()
      noMoreWrites.abort()
    })
    const reflecting = reflector.run(stop.signal)
    await reflector.synced(AbortSignal.timeout(20_000))
    expect(reflector.store.size).toBe(objects)
    const writes = writer.run(noMoreWrites.signal)

    for (let kill = 0; kill < kills; kill++) {
      await writer.more(50)
      relay.cut()
      await writer.more(50)
      // Every other time the watch is lost before that, so that the server, when it is back, knows nothing of the place where the watch was.
      const behind = kill % 2 === 0
      if (behind) {
        relay.block()
        await writer.more(100)
        reading.armed = true
      }
      await cluster.killApiServer()
      await cluster.startApiServer()
      relay.unblock()
      await writer.more(1)
      await writing.apply(ConfigMap, {
        metadata: { name: `marker-${kill}`, namespace, labels: { stress: 'yes' } },
        data: { number: '1' },
      })
      const told = () => follower.state.has(`marker-${kill}`)
      await eventually('the reflector has caught up', told, 30_000)
    }
    await writer.more(100)
    noMoreWrites.abort()
    await writes

    const { items } = await writing.list(ConfigMap, { namespace, labelSelector })
    const expected = new Map(stateOf(items))
    await eventually('the store equals a LIST', () => {
      expect(new Map(stateOf(reflector.store.list()))).toEqual(expected)
      return true
    })
    stop.abort()
    await reflecting

    const { confirmed, unconfirmed, deleted } = writer
    const figures = { confirmed, unconfirmed, deleted: deleted.size, ...reflector.counters }
    process.stdout.write(`reflector under stress: ${JSON.stringify(figures)}\n`)
    expect(follower.wrong).toEqual([])
    expect(follower.state).toEqual(expected)
    const known = [...deleted].filter((uid) => follower.added.has(uid))
    expect(known.filter((uid) => !follower.deleted.has(uid))).toEqual([])
    expect(known.length).toBeGreaterThan(100)
    expect(reading.compactions).toBe(compactions)
    const { lists, expiredAnswers, expiredEvents } = reflector.counters
    expect(expiredAnswers, '410 as a status').toBeGreaterThanOrEqual(compactions)
    expect(expiredEvents, '410 as an event').toBeGreaterThanOrEqual(compactions)
    expect(lists).toBeGreaterThan(compactions)
    expect(metrics.get('rest_client_requests_total{code="410",method="GET"}')).toBe(expiredAnswers)
    expect(metrics.get('rest_client_requests_total{code="<error>",method="GET"}')).toBeGreaterThan(0)
    expect(metrics.get('reflector_expired_events_total{name="ConfigMap"}')).toBe(expiredEvents)
    expect(metrics.get('reflector_lists_total{name="ConfigMap"}')).toBe(lists)
  },
)
