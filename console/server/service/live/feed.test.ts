import { ConnectionError, ForbiddenError, nameOf } from '@keelson/kube'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LiveReader } from '../../testing/live-reader.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { hostNamed, requestNamed } from '../../testing/objects.ts'
import type { Act } from '../gate.ts'
import { Collection } from './collection.ts'
import { Feed } from './feed.ts'
import { hostRowOf } from './host-row.ts'
import { namespaceOf } from './live-store.ts'
import { requestRowOf } from './request-row.ts'
import { Revisions } from './revisions.ts'

const { signal } = new AbortController()
const watched = 'red/a'
const topics = ['hosts', 'requests', `request:${watched}`]

/** What the console knows, what one person may see of it, and that person's page. */
class World {
  readonly revisions = new Revisions()
  readonly hosts: Collection
  readonly requests: Collection
  readonly reader = new LiveReader()
  readonly clock = new ManualClock()
  /** Namespaces whose requests the person may list and get; `*`: all. */
  readonly rights = new Set<string>(['*'])
  mayListHosts = true
  /** The API server gives no answer. */
  silent = false
  epoch = 'one'
  feed: Feed

  constructor(tombstones = 5_000) {
    this.hosts = new Collection(this.revisions, { tombstones })
    this.requests = new Collection(this.revisions, { tombstones })
    this.feed = this.#open()
  }

  #open(): Feed {
    const { epoch, clock } = this
    return new Feed({
      ...{ account: 'ann', topics, resume: this.reader.lastEventId, epoch, clock, store: this },
      allows: async (act) => this.#answer(act),
      read: async (namespace, name) => {
        if (!this.#answer({ verb: 'get', group: '', resource: 'hostrequests', namespace }))
          throw new ForbiddenError({ code: 'Forbidden', message: 'no', status: 403, reason: 'Forbidden' })
        const entry = this.requests.get(`${namespace}/${name}`)
        return entry === undefined ? undefined : requestNamed(namespace, name, { runToken: msgOf(entry.json) })
      },
    })
  }

  #answer({ resource, namespace = '*' }: Act): boolean {
    if (this.silent) throw new ConnectionError({ code: 'ConnectionFailed', message: 'gone', retryable: true })
    return resource === 'hosts' ? this.mayListHosts : this.rights.has('*') || this.rights.has(namespace)
  }

  requestNamespaces(): string[] {
    return [...new Set([...this.requests.keys()].map(namespaceOf))].toSorted()
  }

  host(name: string, value: number): void {
    this.hosts.set(name, JSON.stringify(hostRowOf(hostNamed(name, { message: String(value) }))))
  }

  request(key: string, value: number): void {
    const { namespace = '', name } = nameOf(key)
    this.requests.set(key, JSON.stringify({ ...requestRowOf(requestNamed(namespace, name)), msg: String(value) }))
  }

  reconnect(): void {
    this.reader.cut()
    this.feed = this.#open()
  }

  async check(): Promise<void> {
    const questions = this.feed.authorise(signal)
    for (let next = await questions.next(); next.done !== true; next = await questions.next())
      this.reader.take(next.value)
  }

  /** As far as so many events. */
  async pass(limit = Infinity): Promise<void> {
    if (this.feed.outgrown) await this.check()
    let events = 0
    if (limit === 0) return
    for await (const text of this.feed.pass(signal)) {
      this.reader.take(text)
      if (++events === limit) return
    }
  }

  /** What the page ought to show. */
  expected(): unknown {
    const rows = (collection: Collection, sees: (key: string) => boolean) =>
      [...collection.entries()]
        .filter(({ key }) => sees(key))
        .map(({ key, json }) => [key, JSON.parse(json) as unknown])
    const sees = (key: string) => this.rights.has('*') || this.rights.has(namespaceOf(key))
    const entry = this.requests.get(watched)
    const whole = entry === undefined ? [] : [[watched, requestNamed('red', 'a', { runToken: msgOf(entry.json) })]]
    return {
      hosts: Object.fromEntries(this.mayListHosts ? rows(this.hosts, () => true) : []),
      requests: Object.fromEntries(rows(this.requests, sees)),
      [`request:${watched}`]: Object.fromEntries(sees(watched) ? whole : []),
    }
  }

  shown(): unknown {
    return Object.fromEntries(topics.map((topic) => [topic, this.reader.rows(topic)]))
  }
}

function msgOf(json: string): string {
  return (JSON.parse(json) as { msg: string }).msg
}

type Step = (world: World) => Promise<void> | void

const host = fc.constantFrom('h1', 'h2', 'h3', 'h4')
const request = fc.constantFrom(watched, 'red/b', 'blue/a', 'blue/b', 'green/a')
const value = fc.nat(1_000)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(host, value).map(
    ([name, number]): Step =>
      (world) =>
        world.host(name, number),
  ),
  fc.tuple(request, value).map(
    ([key, number]): Step =>
      (world) =>
        world.request(key, number),
  ),
  host.map(
    (name): Step =>
      (world) =>
        world.hosts.remove(name),
  ),
  request.map(
    (key): Step =>
      (world) =>
        world.requests.remove(key),
  ),
  fc.constant<Step>((world) => world.pass()),
  fc.nat(4).map((limit): Step => async (world) => {
    await world.pass(limit)
    world.reconnect()
  }),
  fc.constant<Step>((world) => world.check()),
  fc.constant<Step>((world) => world.check()),
  fc.constant<Step>((world) => world.pass()),
  fc.tuple(fc.constantFrom('*', 'red', 'blue'), fc.boolean()).map(([right, given]): Step => (world) => {
    if (given) world.rights.add(right)
    else world.rights.delete(right)
  }),
  fc.boolean().map((may): Step => (world) => {
    world.mayListHosts = may
  }),
  fc.boolean().map((silent): Step => (world) => {
    world.silent = silent
  }),
  fc.constant<Step>((world) => {
    // Another process, which counts from elsewhere.
    world.epoch += 'x'
    world.reconnect()
  }),
  fc.constant<Step>((world) => world.clock.advance(2_000)),
)

describe('whoever applies what comes', () => {
  test.each([5_000, 1])('shows what is there, wherever the stream was cut; with %d tombstones', async (tombstones) => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
      const world = new World(tombstones)
      await world.check()
      for (const each of steps) await each(world)
      world.silent = false
      world.clock.advance(2_000)
      await world.check()
      await world.pass()
      expect(world.shown()).toEqual(world.expected())
    })
    await fc.assert(property, { numRuns: 2_000 })
  })

  test('gets after a cut what has changed, and nothing again', async () => {
    const world = new World()
    for (let index = 0; index < 1_200; index++) world.host(`h${index}`, 0)
    await world.check()
    await world.pass()
    // Twelve pages of hosts.
    expect(world.reader.events.map(({ type }) => type)).toEqual(Array(14).fill('snapshot'))
    expect(world.reader.names('hosts')).toHaveLength(1_200)
    world.reconnect()
    world.host('h7', 1)
    world.hosts.remove('h8')
    await world.check()
    const before = world.reader.events.length
    await world.pass()
    const rows = [expect.objectContaining({ name: 'h7', message: '1' })]
    expect(world.reader.events.slice(before)).toEqual([
      { type: 'changes', topic: 'hosts', upserts: rows, removals: ['h8'] },
    ])
  })

  test('misses nothing where it is cut while a list begins anew, and the rights are what they were by then', async () => {
    const world = new World()
    world.rights.clear()
    world.rights.add('red').add('blue')
    world.request(watched, 1)
    world.request('blue/a', 1)
    await world.check()
    await world.pass()
    world.rights.delete('blue')
    world.request(watched, 2)
    await world.check()
    await world.pass(1)
    expect(world.reader.names('requests')).toEqual([watched])
    world.reconnect()
    world.rights.add('blue')
    await world.check()
    await world.pass()
    expect(world.shown()).toEqual(world.expected())
  })

  test('hears of a request that is gone, however much else has gone since', async () => {
    const world = new World(1)
    world.request(watched, 1)
    world.request('blue/a', 1)
    await world.check()
    await world.pass()
    world.requests.remove(watched)
    world.requests.remove('blue/a')
    await world.pass()
    expect(world.shown()).toEqual(world.expected())
  })

  test('begins anew where another person resumes, or with an id of nobody', async () => {
    const world = new World()
    world.host('h1', 1)
    await world.check()
    await world.pass()
    const id = world.reader.lastEventId!
    const typesFor = async (account: string, resume: string) => {
      const { clock, epoch } = world
      const questions = { allows: async () => true, read: async () => undefined }
      return typesOf(new Feed({ account, topics: ['hosts'], resume, epoch, clock, store: world, ...questions }))
    }
    const others = ['', 'one', `${id}x`, id.replace('.1.', '.99.'), id.replace('one', 'two'), 'a'.repeat(5_000)]
    for (const other of others) expect(await typesFor('ann', other)).toEqual(['snapshot'])
    expect(await typesFor('bob', id)).toEqual(['snapshot'])
    expect(await typesFor('ann', id)).toEqual([])
  })
})

async function typesOf(feed: Feed): Promise<string[]> {
  const reader = new LiveReader()
  for await (const text of feed.authorise(signal)) reader.take(text)
  for await (const text of feed.pass(signal)) reader.take(text)
  return reader.events.map(({ type }) => type)
}

describe('who may not see', () => {
  test('is told so, and shown everything as soon as it is allowed', async () => {
    const world = new World()
    world.rights.clear()
    world.mayListHosts = false
    world.host('h1', 1)
    world.request('red/a', 1)
    await world.check()
    await world.pass()
    expect(world.reader.events.map(({ type }) => type)).toEqual(['denied', 'denied', 'denied'])
    await world.check()
    expect(world.reader.events).toHaveLength(3)
    world.rights.add('red')
    world.mayListHosts = true
    await world.check()
    await world.pass()
    expect(world.shown()).toEqual(world.expected())
  })

  test('a namespace that comes to hold requests is asked about before its rows are shown', async () => {
    const world = new World()
    world.rights.clear()
    world.rights.add('red').add('blue')
    world.request('red/a', 1)
    await world.check()
    await world.pass()
    world.request('blue/a', 1)
    world.request('green/a', 1)
    await world.pass()
    expect(world.reader.names('requests')).toEqual(['blue/a', 'red/a'])
  })

  test('a right that nobody can ask about any more ends after five minutes', async () => {
    const world = new World()
    world.host('h1', 1)
    await world.check()
    await world.pass()
    world.silent = true
    world.clock.advance(300_000)
    await world.check()
    expect([...world.reader.denied]).toEqual([])
    world.clock.advance(1)
    await world.check()
    expect([...world.reader.denied.keys()]).toEqual(topics)
    world.silent = false
    await world.check()
    await world.pass()
    expect(world.shown()).toEqual(world.expected())
  })
})
