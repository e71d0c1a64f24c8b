import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { LiveReader } from '../../testing/live-reader.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { hostNamed } from '../../testing/objects.ts'
import { Collection } from './collection.ts'
import { Connection } from './connection.ts'
import { hostRowOf } from './host-row.ts'
import { LiveStream } from './live-stream.ts'
import { Revisions } from './revisions.ts'

/** One reader, and all the time there is. */
class Tab {
  readonly clock = new ManualClock()
  readonly revisions = new Revisions()
  readonly hosts = new Collection(this.revisions)
  readonly requests = new Collection(this.revisions)
  readonly connection = new Connection(['hosts'], this.clock)
  readonly reader = new LiveReader()
  readonly sync = Promise.withResolvers<void>()
  /** Where it is set, the reader takes nothing. */
  stuck: PromiseWithResolvers<void> | undefined
  writes: string[] = []
  questions = 0
  signedIn = true
  readonly #stop = new AbortController()
  readonly ended: Promise<unknown>

  constructor() {
    const stream = new LiveStream({
      ...{ account: 'ann', topics: ['hosts'], epoch: 'e', clock: this.clock, store: this },
      allows: async () => {
        this.questions += 1
        return true
      },
      read: async () => undefined,
      write: async (text) => {
        this.writes.push(text)
        this.reader.take(text)
        await this.stuck?.promise
      },
      signedIn: async () => {
        if (!this.signedIn) throw new Error('signed out')
      },
    })
    this.ended = stream.run(this.#stop.signal).catch((error: unknown) => error)
  }

  async synced(): Promise<void> {
    await this.sync.promise
  }

  requestNamespaces(): string[] {
    return []
  }

  host(name: string, message: string): void {
    this.hosts.set(name, JSON.stringify(hostRowOf(hostNamed(name, { message }))))
  }

  /** Lets so much time pass, in steps, with all that follows from it. */
  async pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 50) {
      this.clock.advance(50)
      await this.settle()
    }
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) await setImmediate()
  }

  async begin(): Promise<void> {
    this.connection.set('hosts', true)
    this.sync.resolve()
    await this.settle()
  }

  async end(): Promise<void> {
    this.#stop.abort()
    await this.ended
  }
}

test('tells changes at most five times a second, each row as it is by then', async () => {
  const tab = new Tab()
  tab.host('a', '0')
  await tab.begin()
  expect(tab.reader.names('hosts')).toEqual(['a'])
  const before = tab.reader.events.length
  for (let number = 1; number <= 200; number++) {
    tab.host('a', String(number))
    await tab.pass(50)
  }
  // Ten seconds.
  const events = tab.reader.events.slice(before)
  expect(events.length).toBeGreaterThan(40)
  expect(events.length).toBeLessThanOrEqual(50)
  await tab.pass(1_000)
  expect(tab.reader.rows('hosts')).toMatchObject({ a: { message: '200' } })
  await tab.end()
})

test('makes nothing for a reader that takes nothing, and then what is there by then', async () => {
  const tab = new Tab()
  tab.host('a', '0')
  await tab.begin()
  tab.stuck = Promise.withResolvers()
  tab.host('a', '1')
  await tab.pass(1_000)
  const writes = tab.writes.length
  for (let number = 2; number < 1_000; number++) tab.host('a', String(number))
  tab.host('b', '')
  tab.hosts.remove('a')
  await tab.pass(60_000)
  expect(tab.writes).toHaveLength(writes)
  tab.stuck.resolve()
  tab.stuck = undefined
  await tab.pass(1_000)
  expect(tab.reader.names('hosts')).toEqual(['b'])
  const told = tab.writes.slice(writes).filter((text) => text.startsWith('event: changes'))
  expect(told).toHaveLength(1)
  await tab.end()
})

test('says nothing of an empty list before there is one, and that it is there when there is nothing to say', async () => {
  const tab = new Tab()
  await tab.settle()
  await tab.pass(1_000)
  expect(tab.reader.events).toEqual([])
  await tab.pass(2_000)
  expect(tab.reader.events).toEqual([{ type: 'lag', connected: false, sinceSeconds: 2 }])
  await tab.begin()
  await tab.pass(1_000)
  expect(tab.reader.events.slice(1)).toMatchObject([
    { type: 'lag', connected: true },
    { type: 'snapshot', items: [] },
  ])
  const before = tab.reader.events.length
  await tab.pass(60_000)
  const alive = { type: 'lag', connected: true, sinceSeconds: 0 }
  expect(tab.reader.events.slice(before)).toEqual([alive, alive, alive, alive])
  await tab.end()
})

test('tells how long the cluster has been out of sight, not that a watch was taken up anew', async () => {
  const tab = new Tab()
  await tab.begin()
  tab.connection.set('hosts', false)
  await tab.pass(500)
  tab.connection.set('hosts', true)
  await tab.pass(5_000)
  const lags = () => tab.reader.events.filter(({ type }) => type === 'lag')
  expect(lags()).toEqual([])
  tab.connection.set('hosts', false)
  await tab.pass(25_000)
  tab.connection.set('hosts', true)
  await tab.pass(1_000)
  const lost = (sinceSeconds: number) => ({ type: 'lag', connected: false, sinceSeconds })
  expect(lags()).toEqual([lost(2), lost(12), lost(22), { type: 'lag', connected: true, sinceSeconds: 0 }])
  await tab.end()
})

test('asks for rights and session twice a minute, and ends with the session', async () => {
  const tab = new Tab()
  await tab.begin()
  expect(tab.questions).toBe(1)
  await tab.pass(60_000)
  expect(tab.questions).toBe(3)
  tab.signedIn = false
  await tab.pass(31_000)
  expect(await tab.ended).toMatchObject({ message: 'signed out' })
  expect(tab.questions).toBe(3)
})

test('leaves no timer behind', async () => {
  const tab = new Tab()
  await tab.begin()
  await tab.pass(5_000)
  await tab.end()
  expect(tab.clock.pending).toBe(0)
})
