import { eventually } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hostKind, hostRequestKind } from './service/kinds.ts'
import { LiveReader } from './testing/live-reader.ts'
import { LiveWorld } from './testing/live-world.fixture.ts'
import { statusOf } from './testing/objects.ts'

let world: LiveWorld

beforeAll(async () => {
  world = await LiveWorld.start()
  for (const namespace of ['red', 'blue', 'green']) await world.cluster.kubectl('create', 'namespace', namespace)
  for (const name of ['node1', 'node2', 'node3']) await world.host(name)
  await world.request('red', 'first')
  await world.request('blue', 'first')
}, 120_000)

afterAll(async () => {
  await world?.[Symbol.asyncDispose]()
})

const all = ['blue/first', 'red/first']
const hosts = ['node1', 'node2', 'node3']
/** As long as an answer about rights is remembered, and longer than between two questions. */
const nextCheckMs = 31_000

describe('a stream', () => {
  test('shows to each what they may see, and each change of it', async () => {
    const viewer = await world.person('viewer', 'keelson-viewer')
    const red = await world.person('red-only', 'keelson-viewer', ['red'])
    const nobody = await world.person('nobody')
    const topics = ['hosts', 'requests']
    using whole = await world.open(viewer, topics)
    using part = await world.open(red, topics)
    using none = await world.open(nobody, topics)
    expect(whole.answer.headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    expect(whole.answer.headers['content-security-policy']).toContain("default-src 'none'")
    await whole.sees('hosts', hosts)
    await whole.sees('requests', all)
    await part.sees('requests', ['red/first'])
    await eventually('both denials', () => none.reader.denied.size === 2)
    expect([...part.reader.denied]).toEqual([['hosts', 'Forbidden']])

    await world.host('node1', 'does not answer')
    await world.request('red', 'second')
    await world.request('blue', 'second')
    await world.cluster.root.delete(hostRequestKind, { namespace: 'red', name: 'first' })
    await whole.sees('requests', ['blue/first', 'blue/second', 'red/second'])
    await part.sees('requests', ['red/second'])
    await eventually('the change of a host', () => {
      expect(whole.reader.rows('hosts')).toMatchObject({ node1: { message: 'does not answer' } })
      return true
    })
    expect(none.reader.topics.size).toBe(0)
    // Nothing of other namespaces has ever been on the wire.
    expect(JSON.stringify(part.reader.events)).not.toContain('blue')

    for (const name of ['red/second', 'blue/second']) {
      const [namespace = '', own = ''] = name.split('/')
      await world.cluster.root.delete(hostRequestKind, { namespace, name: own })
    }
    await world.request('red', 'first')
    await whole.sees('requests', all)
  })

  test('ends for what is not allowed any more, and shows it as soon as it is allowed again', async () => {
    const browser = await world.person('ann', 'keelson-viewer')
    using stream = await world.open(browser, ['hosts', 'requests'])
    await stream.sees('requests', all)
    await world.revoke('ann')
    world.clock.pass(nextCheckMs)
    await eventually('both topics end', () => stream.reader.denied.size === 2)
    expect(stream.reader.topics.size).toBe(0)
    await world.host('node2', 'unseen')
    await world.grant('ann', 'keelson-viewer', ['blue'])
    world.clock.pass(nextCheckMs)
    await stream.sees('requests', ['blue/first'])
    expect([...stream.reader.denied.keys()]).toEqual(['hosts'])
    expect(JSON.stringify(stream.reader.events)).not.toContain('unseen')
    await world.grant('ann', 'keelson-viewer')
    world.clock.pass(nextCheckMs)
    await stream.sees('requests', all)
    await stream.sees('hosts', hosts)
  })

  test('shows a namespace that comes to hold requests only to those who may list them there', async () => {
    const both = await world.person('red-and-green', 'keelson-viewer', ['red', 'green'])
    const one = await world.person('only-red', 'keelson-viewer', ['red'])
    using allowed = await world.open(both, ['requests'])
    using other = await world.open(one, ['requests'])
    await allowed.sees('requests', ['red/first'])
    await other.sees('requests', ['red/first'])
    await world.request('green', 'new')
    await allowed.sees('requests', ['green/new', 'red/first'])
    await world.request('red', 'new')
    await other.sees('requests', ['red/first', 'red/new'])
    await world.cluster.root.delete(hostRequestKind, { namespace: 'green', name: 'new' })
    await world.cluster.root.delete(hostRequestKind, { namespace: 'red', name: 'new' })
    await allowed.sees('requests', ['red/first'])
    expect(JSON.stringify(other.reader.events)).not.toContain('green')
  })

  test('goes on after a reconnect with what has changed, and from the beginning after an id of another process', async () => {
    const browser = await world.person('bob', 'keelson-viewer')
    const topics = ['hosts', 'requests']
    const first = await world.open(browser, topics)
    await first.sees('requests', all)
    await first.sees('hosts', hosts)
    first[Symbol.dispose]()
    await world.host('node4')
    await world.request('red', 'meanwhile')
    await world.cluster.root.delete(hostKind, { name: 'node4' })
    await world.host('node3', 'meanwhile')
    await world.host('node5')
    await eventually('the console has seen all of it', () => world.store.hostRow('node5') !== undefined)
    const { reader } = first
    const before = reader.events.length
    using second = await world.open(browser, topics, reader)
    await second.sees('requests', [...all, 'red/meanwhile'])
    await second.sees('hosts', [...hosts, 'node5'])
    expect(reader.rows('hosts')).toMatchObject({ node3: { message: 'meanwhile' } })
    expect(reader.events.slice(before).map(({ type }) => type)).toEqual(['changes', 'changes'])

    const another = new LiveReader()
    another.lastEventId = reader.lastEventId!.replace(/^[^.]+/, 'another')
    using third = await world.open(browser, topics, another)
    await third.sees('hosts', [...hosts, 'node5'])
    await third.sees('requests', [...all, 'red/meanwhile'])
    expect(another.events.map(({ type }) => type)).toEqual(['snapshot', 'snapshot'])
    await world.cluster.root.delete(hostRequestKind, { namespace: 'red', name: 'meanwhile' })
    await world.cluster.root.delete(hostKind, { name: 'node5' })
    await third.sees('hosts', hosts)
  })

  test('of one request shows the whole of it, read with the rights of who looks', async () => {
    const browser = await world.person('carl', 'keelson-viewer', ['red'])
    await world.request('red', 'watched', { workers: ['node1'] })
    const topics = ['request:red/watched', 'request:red/later', 'request:blue/first']
    using stream = await world.open(browser, topics)
    await stream.sees('request:red/watched', ['red/watched'])
    await stream.sees('request:red/later', [])
    await eventually('a namespace without rights', () => stream.reader.denied.has('request:blue/first'))
    await world.report('red', 'watched', statusOf(['node1'], { msg: 'done' }))
    await world.request('red', 'later')
    await stream.sees('request:red/later', ['red/later'])
    await eventually('the status', () => {
      expect(stream.reader.rows('request:red/watched')).toMatchObject({
        'red/watched': { spec: { workers: [{ name: 'node1' }] }, status: { msg: 'done', succeeded: '0' } },
      })
      return true
    })
    expect(JSON.stringify(stream.reader.events)).not.toContain('managedFields')
    for (const name of ['watched', 'later'])
      await world.cluster.root.delete(hostRequestKind, { namespace: 'red', name })
    await stream.sees('request:red/watched', [])
    await stream.sees('request:red/later', [])
    expect(await world.asked()).toContain('carl get hostrequests red/watched 200')
  })

  test('ends for an account that is gone, whatever bindings are left', async () => {
    const browser = await world.person('gone', 'keelson-viewer')
    using stream = await world.open(browser, ['hosts'])
    await stream.sees('hosts', hosts)
    await world.cluster.kubectl('delete', 'serviceaccount', 'gone', '--namespace=keelson-users')
    // The server remembers a token that it has seen for ten seconds.
    await eventually(
      'the topic ends',
      () => {
        world.clock.pass(nextCheckMs)
        return stream.reader.denied.get('hosts') === 'AccountMissing'
      },
      30_000,
      1_000,
    )
    expect(stream.reader.topics.size).toBe(0)
  })

  test('ends with the session', async () => {
    const browser = await world.person('dora', 'keelson-viewer')
    using stream = await world.open(browser, ['hosts'])
    await stream.sees('hosts', hosts)
    await browser.send('DELETE', '/api/session')
    world.clock.pass(nextCheckMs)
    await eventually('it ends', () => stream.ended)
    using another = await world.open(browser, ['hosts'])
    expect(another.answer.statusCode).toBe(401)
  })

  test('takes no other topics, no strangers, and no more than so many', async () => {
    const browser = await world.person('eve', 'keelson-viewer')
    const status = async (path: string) => (await browser.get(path)).status
    for (const query of ['', '?topic=pods', '?topic=request:red', '?topic=request:red/a/b', '?topic=hosts&x=1'])
      expect([query, await status(`/api/live${query}`)]).toEqual([query, 400])
    const stranger = world.console.browser()
    expect((await stranger.get('/api/live?topic=hosts')).status).toBe(401)
    const open = await Promise.all(Array.from({ length: 32 }, () => world.open(browser, ['hosts'])))
    expect(open.map(({ answer }) => answer.statusCode)).toEqual(Array(32).fill(200))
    expect(await status('/api/live?topic=hosts')).toBe(429)
    for (const stream of open) stream[Symbol.dispose]()
    await eventually('there is room again', async () => {
      using stream = await world.open(browser, ['hosts'])
      return stream.answer.statusCode === 200
    })
  })
})

test('a console that has lost its API server says so, and goes on by itself', async () => {
  const browser = await world.person('fred', 'keelson-viewer')
  using stream = await world.open(browser, ['hosts'])
  await stream.sees('hosts', hosts)
  await world.cluster.controlPlane.killApiServer()
  const lags = () => stream.reader.events.flatMap((event) => (event.type === 'lag' ? [event.connected] : []))
  await eventually('the loss is told', () => lags().length > 0)
  using late = await world.open(browser, ['hosts'])
  await eventually('to a new reader too', () => late.reader.events.length > 0)
  expect(late.reader.events[0]).toMatchObject({ type: 'lag', connected: false })
  await world.cluster.controlPlane.startApiServer()
  await world.host('node6')
  await stream.sees('hosts', [...hosts, 'node6'], 30_000)
  await late.sees('hosts', [...hosts, 'node6'], 30_000)
  await eventually('the return is told', () => lags().at(-1) === true)
  expect(stream.reader.denied.size).toBe(0)
  await world.cluster.root.delete(hostKind, { name: 'node6' })
})
