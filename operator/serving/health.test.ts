import { expect, test } from 'vitest'
import { TestLeadership } from '../testing/test-leadership.ts'
import { Health } from './health.ts'

function source() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { synced: async () => promise, arrive: resolve }
}

test('a candidate is alive and ready', () => {
  const health = new Health()
  expect([health.fault(), health.waitingFor()]).toEqual([undefined, undefined])
})

test('a leader is ready when all is synced that it needs, and a candidate again when its term is over', async () => {
  const health = new Health()
  const [hosts, requests] = [source(), source()]
  {
    using _ = health.begin(new TestLeadership(1), { hosts, requests })
    expect(health.waitingFor()).toBe('not synced: hosts, requests')
    hosts.arrive()
    await hosts.synced()
    await Promise.resolve()
    expect(health.waitingFor()).toBe('not synced: requests')
    requests.arrive()
    await requests.synced()
    await Promise.resolve()
    expect(health.waitingFor()).toBeUndefined()
  }
  const next = health.begin(new TestLeadership(2), { hosts: source() })
  expect(health.waitingFor()).toBe('not synced: hosts')
  next[Symbol.dispose]()
  expect(health.waitingFor()).toBeUndefined()
})

test('a leader that lost its lease is to be killed if its work goes on for longer than it may', () => {
  let now = 0
  const health = new Health(() => now)
  const leadership = new TestLeadership(7)
  const term = health.begin(leadership, {})
  now = 100_000
  expect(health.fault()).toBeUndefined()
  leadership.runOut()
  expect(health.fault()).toBeUndefined()
  now += 19_999
  expect(health.fault()).toBeUndefined()
  now += 1
  expect(health.fault()).toBe('the lease of epoch 7 is lost, and work in its name does not end')
  term[Symbol.dispose]()
  expect(health.fault()).toBeUndefined()
})
