import { isDeepStrictEqual } from 'node:util'
import { ControlPlane, eventually } from '@keelson/testbed'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { KubeClient } from './client.ts'
import type { ClientConfiguration } from './configuration.ts'
import { Controller } from './controller.ts'
import { ConflictError, ExpiredError, NotFoundError } from './errors.ts'
import { loadKubeconfig } from './kubeconfig.ts'
import { keyOf, nameOf } from './object.ts'
import { Reflector, type ReflectorOptions } from './reflector.ts'
import type { Change } from './store.ts'
import { InterruptedClient } from './testing/interrupted-client.ts'
import { ConfigMap } from './testing/kinds.ts'
import { TcpRelay } from './testing/tcp-relay.ts'

const namespace = 'default'
const labelSelector = 'reflected=yes'
let cluster: ControlPlane
let admin: ClientConfiguration
/** Goes to the API server directly. */
let writer: KubeClient

beforeAll(async () => {
  cluster = await ControlPlane.start({
    controllerManager: false,
    // Else the server may serve the pages of a forgotten state from its cache, and no LIST answers 410.
    apiServerFlags: ['--feature-gates=ListFromCacheSnapshot=false'],
  })
  admin = await loadKubeconfig(cluster.adminKubeconfig)
  writer = new KubeClient({ ...admin, fieldManager: 'writer' })
})

afterAll(async () => {
  await writer?.close()
  await cluster?.[Symbol.asyncDispose]()
})

/** A reflector whose client goes through a relay, and what its first listener was told. */
class Watched implements AsyncDisposable {
  readonly relay: TcpRelay
  readonly client: KubeClient
  readonly reflector: Reflector<ConfigMap>
  readonly changes: Change<ConfigMap>[] = []
  readonly errors: unknown[] = []
  readonly #stop = new AbortController()
  #ended: Promise<void> | undefined

  constructor(relay: TcpRelay, options: Partial<ReflectorOptions<ConfigMap>> = {}) {
    this.relay = relay
    this.client = options.client ?? new KubeClient({ ...admin, server: relay.url, fieldManager: 'reader' })
    this.reflector = new Reflector({
      kind: ConfigMap,
      namespace,
      labelSelector,
      pageSize: 10,
      backoff: { initialMs: 20, maxMs: 200 },
      onError: (error) => this.errors.push(error),
      ...options,
      client: this.client,
    })
    this.reflector.onChange((change) => this.changes.push(change))
  }

  static async start(options: Partial<ReflectorOptions<ConfigMap>> = {}): Promise<Watched> {
    const watched = new Watched(await TcpRelay.start(cluster.server), options)
    watched.run()
    await watched.reflector.synced(AbortSignal.timeout(10_000))
    return watched
  }

  run(): void {
    this.#ended = this.reflector.run(this.#stop.signal)
  }

  /** Waits until the store is what a LIST by another client says; objects of a name are equal if uid and resourceVersion are. */
  async equalsList(): Promise<void> {
    const versions = (objects: readonly ConfigMap[]): string[] =>
      objects.map(({ metadata }) => `${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`)
    await eventually(
      'the store equals a LIST',
      async () => {
        const { items } = await writer.list(ConfigMap, { namespace, labelSelector })
        return isDeepStrictEqual(new Set(versions(this.reflector.store.list())), new Set(versions(items)))
      },
      20_000,
    )
  }

  /** For each name what the listener was told, as `added 1`, `updated 2`, …: the type and the number that the writer put in. */
  told(name: string): string[] {
    return this.changes
      .filter(({ object }) => object.metadata.name === name)
      .map(({ type, object }) => `${type} ${object.data?.['number']}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#ended
    await this.client.close()
    await this.relay[Symbol.asyncDispose]()
  }
}

async function write(name: string, number: number): Promise<void> {
  const metadata = { name, namespace, labels: { reflected: 'yes' } }
  await writer.apply(ConfigMap, { metadata, data: { number: String(number), text: 'ä€😀' } })
}

async function remove(name: string): Promise<void> {
  await writer.delete(ConfigMap, { name, namespace }).catch((error: unknown) => {
    if (!(error instanceof NotFoundError)) throw error
  })
}

/** Replays what was told, checking that each change fits what was told before: nothing twice, nothing backwards, nothing skipped. */
function replay(changes: readonly Change<ConfigMap>[]): Map<string, number> {
  const state = new Map<string, { uid: string | undefined; number: number }>()
  for (const { type, object, previous } of changes) {
    const key = keyOf(object)
    const known = state.get(key)
    const number = Number(object.data?.['number'])
    expect({ name: key, uid: previous?.metadata.uid }).toEqual({ name: key, uid: known?.uid })
    expect({ name: key, isNew: previous === undefined }).toEqual({ name: key, isNew: type === 'added' })
    expect(number).toBeGreaterThanOrEqual(type === 'added' ? 0 : known!.number)
    if (type === 'deleted') state.delete(key)
    else state.set(key, { uid: object.metadata.uid, number })
  }
  return new Map([...state].map(([key, { number }]) => [key, number]))
}

describe('a reflector', () => {
  beforeEach(async () => {
    for (let index = 0; index < 25; index++) await write(`object-${index}`, 0)
  })

  afterEach(async () => {
    const { items } = await writer.list(ConfigMap, { namespace, labelSelector })
    for (const { metadata } of items) await remove(metadata.name)
  })

  test('lists in pages, follows writes, and tells each with what was there before', async () => {
    await using watched = await Watched.start()
    expect(watched.reflector.store.size).toBe(25)
    await write('object-1', 1)
    await write('new', 1)
    await write('new', 2)
    await remove('object-2')
    await eventually('the deletion is told', () => watched.told('object-2').length === 2)
    expect(watched.told('object-1')).toEqual(['added 0', 'updated 1'])
    expect(watched.told('new')).toEqual(['added 1', 'updated 2'])
    expect(watched.told('object-2')).toEqual(['added 0', 'deleted 0'])
    await watched.equalsList()
    replay(watched.changes)
    // An object that leaves the selection is deleted, for this reflector.
    await writer.patch(ConfigMap, { name: 'new', namespace }, { metadata: { labels: { reflected: 'no' } } })
    await eventually('the object is gone', () => watched.reflector.store.get(`${namespace}/new`) === undefined)
    expect(watched.reflector.counters).toMatchObject({ lists: 1, watches: 1, failures: 0 })
    await remove('new')
  })

  test('a listener that throws or rejects is reported; the others hear, and the watch goes on', async () => {
    await using watched = await Watched.start()
    watched.reflector.onChange(() => {
      throw new Error('broken listener')
    })
    // eslint-disable-next-line typescript/no-misused-promises -- what must not end the process
    watched.reflector.onChange(async () => Promise.reject(new Error('broken promise')))
    const late: string[] = []
    const stop = watched.reflector.onChange(({ type, object }) => late.push(`${type} ${object.metadata.name}`))
    expect(late).toHaveLength(25)
    await write('object-0', 1)
    await eventually('the last listener hears', () => late.at(-1) === 'updated object-0')
    stop()
    await write('object-0', 2)
    await eventually('the first listener hears', () => watched.told('object-0').at(-1) === 'updated 2')
    expect(late.at(-1)).toBe('updated object-0')
    expect(late).toHaveLength(26)
    expect(watched.errors.map(String)).toContain('Error: broken listener')
    expect(watched.errors.map(String)).toContain('Error: broken promise')
    expect(watched.reflector.counters).toMatchObject({ lists: 1, watches: 1, failures: 0, listenerFailures: 54 })
  })

  test('survives connections that are cut while everything changes, without listing anew', async () => {
    await using watched = await Watched.start()
    const names = Array.from({ length: 12 }, (_, index) => `object-${index}`)
    for (let round = 1; round <= 15; round++) {
      await Promise.all(names.map((name, index) => ((round + index) % 5 === 0 ? remove(name) : write(name, round))))
      watched.relay.cut()
    }
    await watched.equalsList()
    const expected = watched.reflector.store.list().map((each) => [keyOf(each), Number(each.data?.['number'])] as const)
    expect(replay(watched.changes)).toEqual(new Map(expected))
    expect(watched.relay.accepted).toBeGreaterThan(2)
    expect(watched.reflector.counters.failures).toBeGreaterThan(0)
    expect(watched.reflector.counters.lists).toBe(1)
  })

  test('takes a watch up again that the server ended in good order', async () => {
    await using watched = await Watched.start({ watchSeconds: 1 })
    await eventually('the third watch is open', async () => {
      await write('object-1', performance.now())
      return watched.reflector.counters.watches >= 3
    })
    await watched.equalsList()
    expect(replay(watched.changes).size).toBe(25)
    expect(watched.reflector.counters).toMatchObject({ lists: 1, failures: 0 })
  })

  test('notices a server that says nothing any more, not one that is only slow, and lists anew', async () => {
    await using watched = await Watched.start({ inactivityMs: 1_500 })
    for (const end = performance.now() + 2_000; performance.now() < end;) await write('object-2', performance.now())
    expect(watched.reflector.counters).toMatchObject({ silences: 0, lists: 1 })
    watched.relay.hold()
    await write('object-3', 7)
    await eventually('the silence is noticed', () => watched.reflector.counters.silences > 0)
    expect(watched.told('object-3')).toEqual(['added 0'])
    watched.relay.release()
    await watched.equalsList()
    expect(watched.told('object-3')).toEqual(['added 0', 'updated 7'])
    expect(watched.errors[0]).toMatchObject({ code: 'WatchSilent' })
    expect(watched.reflector.counters.lists).toBeGreaterThan(1)
  })

  test('keeps of each object what transform makes of it, listed or watched', async () => {
    const transform = ({ metadata, data }: ConfigMap): ConfigMap => {
      const { name, uid, resourceVersion } = metadata
      return { metadata: { name, namespace, uid, resourceVersion }, data: { number: `slim ${data?.['number']}` } }
    }
    await using watched = await Watched.start({ transform })
    await write('object-1', 1)
    await remove('object-2')
    await eventually('the deletion is told', () => watched.told('object-2').length === 2)
    expect(watched.told('object-1')).toEqual(['added slim 0', 'updated slim 1'])
    expect(watched.told('object-2')).toEqual(['added slim 0', 'deleted slim 0'])
    for (const object of watched.reflector.store.list()) {
      expect(Object.keys(object.metadata)).toEqual(['name', 'namespace', 'uid', 'resourceVersion'])
      expect(Object.keys(object.data ?? {})).toEqual(['number'])
    }
  })

  test('tells when it has lost the server, and when it has it again', async () => {
    const connections: boolean[] = []
    await using watched = await Watched.start({ onConnection: (connected) => connections.push(connected) })
    await eventually('it is connected', () => connections.length === 1)
    watched.relay.block()
    await eventually('the loss is told', () => connections.length === 2)
    await eventually('it tries in vain', () => watched.errors.length > 1)
    watched.relay.unblock()
    await eventually('it is connected again', () => connections.length === 3)
    expect(connections).toEqual([true, false, true])
  })

  test('survives a killed API server', async () => {
    await using watched = await Watched.start()
    await cluster.killApiServer()
    await eventually('the loss is noticed', () => watched.errors.length > 0)
    await cluster.startApiServer()
    await write('object-4', 1)
    await eventually('the write is told', () => watched.told('object-4').at(-1) === 'updated 1')
    await watched.equalsList()
    expect(replay(watched.changes).size).toBe(25)
  })

  test('lists anew when its place in the history is gone, and tells what was deleted meanwhile', async () => {
    await using watched = await Watched.start()
    watched.relay.block()
    await remove('object-5')
    await remove('object-6')
    await write('object-6', 1)
    await write('object-7', 1)
    await cluster.compact()
    // A server that was started after all this remembers none of it.
    await cluster.killApiServer()
    await cluster.startApiServer()
    watched.relay.unblock()
    await watched.equalsList()
    expect(watched.told('object-5')).toEqual(['added 0', 'deleted 0'])
    expect(watched.told('object-6')).toEqual(['added 0', 'deleted 0', 'added 1'])
    expect(watched.told('object-7')).toEqual(['added 0', 'updated 1'])
    expect(watched.told('object-8')).toEqual(['added 0'])
    expect(watched.errors.some((error) => error instanceof ExpiredError)).toBe(true)
    expect(watched.reflector.counters).toMatchObject({ lists: 2, expiredEvents: 1, expiredAnswers: 0 })
  })

  test('begins again when the state that it is listing is gone: 410 as the status', async () => {
    const relay = await TcpRelay.start(cluster.server)
    const client = new InterruptedClient({ ...admin, server: relay.url, fieldManager: 'reader' }, async () => {
      await remove('object-9')
      await cluster.compact()
    })
    await using watched = new Watched(relay, { client })
    watched.run()
    await watched.reflector.synced(AbortSignal.timeout(10_000))
    await watched.equalsList()
    expect(watched.told('object-9')).toEqual([])
    expect(watched.reflector.counters).toMatchObject({ lists: 1, expiredAnswers: 1, expiredEvents: 0 })
  })

  test('waits for a sync no longer than it should, and ends when it is told to', async () => {
    await using watched = new Watched(await TcpRelay.start(cluster.server))
    watched.relay.block()
    watched.run()
    await eventually('it has failed twice', () => watched.errors.length >= 2)
    await expect(watched.reflector.synced(AbortSignal.timeout(10))).rejects.toThrow('timeout')
    await expect(watched.reflector.run(AbortSignal.abort())).rejects.toMatchObject({ code: 'AlreadyRunning' })
    expect(watched.errors).toMatchObject(watched.errors.map(() => ({ code: 'ConnectionFailed', retryable: true })))
  })

  test('and a controller bring every object to what it should be, whoever writes in between', async () => {
    await using watched = await Watched.start()
    const stop = new AbortController()
    const failures: unknown[] = []
    const controller = new Controller({
      sources: [watched.reflector],
      concurrency: 4,
      onError: (_, error) => failures.push(error),
      reconcile: async (key, signal) => {
        const object = watched.reflector.store.get(key)
        if (!object || object.data?.['copy'] === object.data?.['number']) return
        const data = { ...object.data, copy: object.data?.['number'] ?? '' }
        await watched.client.update(ConfigMap, { ...object, data }, {}, signal)
      },
    })
    watched.reflector.onChange(({ object }) => controller.enqueue(keyOf(object)))
    const ended = controller.run(stop.signal)
    for (let round = 1; round <= 5; round++) {
      for (let index = 0; index < 25; index++) {
        await writer.patch(ConfigMap, nameOf(`${namespace}/object-${index}`), { data: { number: `${round}` } })
      }
      watched.relay.cut()
    }
    await eventually('every copy is right', async () => {
      const { items } = await writer.list(ConfigMap, { namespace, labelSelector })
      return items.every(({ data }) => data?.['number'] === '5' && data['copy'] === '5')
    })
    stop.abort()
    await ended
    // Stale reads and cut connections fail and are tried again; nothing else may.
    expect(
      failures.filter((error) => !(error instanceof ConflictError || (error as Error).name === 'ConnectionError')),
    ).toEqual([])
    expect(controller.counters).toMatchObject({ error: failures.length, terminal: 0 })
  })
})
