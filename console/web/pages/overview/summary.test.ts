import { expect, test } from 'vitest'
import { fedWorld } from '../../testing/fed-world.ts'
import { hostState } from '../../ui/host-state.ts'
import { failureReasons, lastRuns, summarise } from './summary.ts'

const { hosts, requests } = fedWorld(500, Date.parse('2026-01-01T00:00:00Z'))

test('every host is counted once, and the reasons are those of the troubled ones', () => {
  const { total, states, reasons } = summarise(hosts, 100)
  expect(total).toBe(500)
  expect(Object.values(states).reduce((sum, count) => sum + count, 0)).toBe(500)
  expect(states.Ready).toBe(hosts.filter((host) => hostState(host) === 'Ready').length)
  expect(reasons.reduce((sum, { count }) => sum + count, 0)).toBe(500 - states.Ready)
  expect(reasons.map(({ count }) => count)).toEqual(reasons.map(({ count }) => count).toSorted((a, b) => b - a))
})

test('the hosts that need attention are the worst ones, at most as many as asked for', () => {
  const { attention } = summarise(hosts, 5)
  expect(attention.map(hostState)).toEqual(Array.from({ length: 5 }, () => 'NotReady'))
  expect(summarise([], 5)).toEqual({
    total: 0,
    states: { NotReady: 0, Offline: 0, Unknown: 0, Ready: 0 },
    reasons: [],
    attention: [],
  })
})

test('what is under way comes before what has ended, the newest first', () => {
  const runs = lastRuns(requests.toReversed(), 4)
  expect(runs.map(({ name }) => name)).toEqual([
    'vm-swappiness',
    'restart-containerd',
    'read-kernel-parameters',
    'set-hostname-on-new-racks',
  ])
})

test('equal reasons of several requests are summed up, in the words of the newest', () => {
  const [first, second] = requests
  const reason = (message: string, count: number) => [{ reason: 'HTTPStatus', count, message }]
  const rows = [
    { ...first!, createdAt: '2026-01-01T00:00:00Z', reasons: reason('old', 2) },
    { ...second!, createdAt: '2026-01-02T00:00:00Z', reasons: reason('new', 3) },
  ]
  expect(failureReasons(rows, 10, 10)).toEqual([{ reason: 'HTTPStatus', count: 5, message: 'new', request: rows[1] }])
  expect(failureReasons(rows, 1, 10)).toMatchObject([{ count: 3 }])
})
