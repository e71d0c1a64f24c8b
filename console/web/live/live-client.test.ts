import { expect, test } from 'vitest'
import type { LiveEvent } from '../../protocol/live.ts'
import { LiveClient } from './live-client.ts'

/** An EventSource whose server is the test. */
class Stream extends EventTarget {
  readonly url: URL
  readyState = 0

  constructor(url: string) {
    super()
    this.url = new URL(url, 'https://console.example')
  }

  close(): void {
    this.readyState = 2
  }

  opened(): void {
    this.readyState = 1
    this.dispatchEvent(new Event('open'))
  }

  /** `final`: the answer was none, and an EventSource does not try again by itself. */
  broken(final: boolean): void {
    this.readyState = final ? 2 : 0
    this.dispatchEvent(new Event('error'))
  }

  send(event: LiveEvent, id = ''): void {
    this.dispatchEvent(new MessageEvent(event.type, { data: JSON.stringify(event), lastEventId: id }))
  }
}

function world() {
  const streams: Stream[] = []
  const timers: { at: number; run: () => void }[] = []
  let now = 0
  let refused = 0
  const client = new LiveClient({
    open: (url) => {
      const stream = new Stream(url)
      streams.push(stream)
      return stream as unknown as EventSource
    },
    later: (milliseconds, run) => {
      const timer = { at: now + milliseconds, run }
      timers.push(timer)
      return () => void timers.splice(0, timers.length, ...timers.filter((each) => each !== timer))
    },
    now: () => now,
    random: () => 0,
    refused: () => (refused += 1),
  })
  const pass = (milliseconds: number) => {
    const end = now + milliseconds
    for (;;) {
      const [next] = timers.toSorted((a, b) => a.at - b.at)
      if (next === undefined || next.at > end) break
      timers.splice(timers.indexOf(next), 1)
      now = next.at
      next.run()
    }
    now = end
  }
  return { client, streams, pass, refusals: () => refused, last: () => streams.at(-1)! }
}

const request = (name: string, createdAt = '2026-01-01T00:00:00Z') =>
  ({ namespace: 'default', name, createdAt }) as unknown as Extract<LiveEvent, { type: 'snapshot' }>['items'][number]

const snapshot = (topic: string, names: readonly string[]): LiveEvent => ({
  ...{ type: 'snapshot', topic, reset: true, last: true },
  items: names.map((name) => request(name)),
})

test('topics that pages ask for in one go come by one stream, and render once a batch', () => {
  const { client, streams, pass, last } = world()
  let renders = 0
  client.subscribe('hosts', () => {})
  client.subscribe('requests', () => (renders += 1))
  expect(streams).toHaveLength(0)
  pass(1_000)
  expect(streams).toHaveLength(1)
  expect(last().url.pathname + last().url.search).toBe('/api/live?topic=hosts&topic=requests')
  last().opened()
  last().send(snapshot('requests', ['a']), '1')
  for (let id = 2; id < 200; id += 1) {
    last().send({ type: 'changes', topic: 'requests', upserts: [request(`a${id % 7}`)], removals: [] }, String(id))
  }
  expect(client.view('requests').state).toBe('Loading')
  pass(1_000)
  expect(renders).toBe(1)
  expect(client.view('requests')).toMatchObject({ state: 'Live' })
  expect(client.view('requests').list).toHaveLength(8)
})

test('what did not change is the same object', () => {
  const { client, pass, last } = world()
  client.subscribe('hosts', () => {})
  client.subscribe('requests', () => {})
  pass(100)
  last().send(snapshot('requests', ['a', 'b']), '1')
  last().send(snapshot('hosts', []), '2')
  pass(1_000)
  const before = client.view('requests')
  last().send({ type: 'changes', topic: 'hosts', upserts: [], removals: ['x'] }, '3')
  pass(1_000)
  expect(client.view('requests')).toBe(before)
})

test('another topic opens the stream anew, with snapshots; a topic that was there resumes by the last id', () => {
  const { client, streams, pass, last } = world()
  client.subscribe('requests', () => {})
  pass(100)
  last().opened()
  last().send(snapshot('requests', ['a']), '7')
  pass(1_000)
  const leave = client.subscribe('request:default/a', () => {})
  pass(100)
  expect(streams[0]!.readyState).toBe(2)
  expect(last().url.search).toBe('?topic=requests&topic=request%3Adefault%2Fa')
  // Meanwhile the rows of before are shown.
  expect(client.view('requests').list).toHaveLength(1)
  last().opened()
  last().send(snapshot('requests', ['a']), '9')
  leave()
  last().broken(true)
  pass(5_000)
  expect(streams).toHaveLength(3)
  expect(last().url.searchParams.get('since')).toBe('9')
  expect(last().url.searchParams.getAll('topic')).toEqual(['requests', 'request:default/a'])
})

test('a stream that breaks makes everything stale until it is back, and tells since when', () => {
  const { client, pass, last } = world()
  client.subscribe('requests', () => {})
  pass(100)
  last().opened()
  last().send(snapshot('requests', ['a']), '1')
  pass(900)
  last().broken(false)
  expect(client.view('requests').state).toBe('Stale')
  pass(5_000)
  last().broken(false)
  expect(client.connection).toEqual({ state: 'Stale', lost: 'Console', since: 1_000 })
  last().opened()
  expect(client.connection).toEqual({ state: 'Live' })
  expect(client.view('requests').state).toBe('Live')
})

test('a stream that is refused is tried again, ever more slowly, and the session is asked about each time', () => {
  const { client, streams, pass, last, refusals } = world()
  client.subscribe('hosts', () => {})
  pass(100)
  const waits: number[] = []
  for (let tries = 1; tries <= 8; tries += 1) {
    last().broken(true)
    expect(refusals()).toBe(tries)
    let waited = 0
    while (streams.length === tries) {
      pass(100)
      waited += 100
    }
    waits.push(waited / 1_000)
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30, 30])
  // Somebody looks at the tab again: no more waiting.
  last().broken(true)
  client.wake()
  pass(1)
  expect(streams).toHaveLength(10)
})

test('the console that has lost the cluster says so', () => {
  const { client, pass, last } = world()
  client.subscribe('requests', () => {})
  pass(100)
  last().opened()
  last().send(snapshot('requests', ['a']), '1')
  pass(49_900)
  last().send({ type: 'lag', connected: false, sinceSeconds: 30 })
  expect(client.connection).toEqual({ state: 'Stale', lost: 'Cluster', since: 20_000 })
  expect(client.view('requests').state).toBe('Stale')
  last().send({ type: 'lag', connected: true, sinceSeconds: 0 })
  expect(client.connection).toEqual({ state: 'Live' })
})

test('who signs in next sees nothing of who was there before', () => {
  const { client, streams, pass, last } = world()
  client.subscribe('requests', () => {})
  pass(100)
  last().opened()
  last().send(snapshot('requests', ['secret']), '5')
  pass(1_000)
  client.close()
  expect(last().readyState).toBe(2)
  expect(client.view('requests')).toMatchObject({ state: 'Loading', list: [] })
  expect(client.connection).toEqual({ state: 'Idle' })
  client.subscribe('requests', () => {})
  pass(1_000)
  expect(streams).toHaveLength(2)
  expect(last().url.searchParams.has('since')).toBe(false)
})

test('a stream on which nothing comes for long is dead: it is shown as stale and opened anew', () => {
  const { client, streams, pass, last } = world()
  client.subscribe('hosts', () => {})
  pass(100)
  last().opened()
  const [first] = streams as [Stream]
  pass(39_000)
  expect(client.connection.state).toBe('Live')
  pass(2_000)
  expect(client.connection).toMatchObject({ state: 'Stale', lost: 'Console' })
  expect(first.readyState).toBe(2)
  pass(2_000)
  expect(streams.length).toBe(2)
})

test('a stream that says at least that it is there is alive', () => {
  const { client, streams, pass, last } = world()
  client.subscribe('hosts', () => {})
  pass(100)
  last().opened()
  for (let beat = 0; beat < 10; beat += 1) {
    pass(15_000)
    last().send({ type: 'lag', connected: true, sinceSeconds: 0 })
  }
  expect([client.connection.state, streams.length]).toEqual(['Live', 1])
})
