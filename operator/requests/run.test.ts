import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Outcome } from './outcome.ts'
import { parallelismOf, Run, type RunOptions } from './run.ts'
import type { Target, Targets } from './targets.ts'

const targetsOf = (count: number): Targets => ({
  online: Array.from({ length: count }, (_, index) => ({
    host: `h${String(index).padStart(4, '0')}`,
    address: '10.0.0.1',
  })),
  ...{ skipped: [], unknown: [] },
})

/** Hosts that answer when told to, one after another or all. */
class Hosts {
  readonly received: string[] = []
  readonly pending: { readonly target: Target; readonly answer: () => void }[] = []
  most = 0

  readonly deliver = async (target: Target, signal: AbortSignal): Promise<Outcome> => {
    this.received.push(target.host)
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
    const entry = { target, answer: () => resolve({ host: target.host, outcome: 'succeeded' as const }) }
    this.pending.push(entry)
    this.most = Math.max(this.most, this.pending.length)
    signal.addEventListener('abort', () => reject(signal.reason))
    return promise.finally(() => this.pending.splice(this.pending.indexOf(entry), 1))
  }
}

function runOf(targets: Targets, parallelism: number, more: Partial<RunOptions> = {}) {
  const hosts = new Hosts()
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const told: boolean[] = []
  const run = new Run({
    ...{ id: 'uid-1', startTime: '2026-01-02T12:00:00Z', targets, parallelism, deliver: hosts.deliver },
    now: () => new Date('2026-01-02T12:00:05Z'),
    changed: (end) => {
      told.push(end)
      if (end) resolve()
    },
    ...more,
  })
  return { run, hosts, ended, told }
}

/** Until everything that can happen without an answer has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

test('each target gets it once and never more than `parallelism` have it at a time, whoever answers first', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(40),
      fc.integer({ min: 1, max: 50 }),
      fc.infiniteStream(fc.nat()),
      async (count, parallelism, random) => {
        const { run, hosts, told } = runOf(targetsOf(count), parallelism)
        await settled()
        for (let left = count; left > 0; left--) {
          // As many as may, at every moment.
          expect(hosts.pending.length).toBe(Math.min(parallelism, left))
          hosts.pending[random.next().value % hosts.pending.length]!.answer()
          await settled()
        }
        expect(hosts.received.toSorted()).toEqual(targetsOf(count).online.map(({ host }) => host))
        expect(hosts.most).toBe(Math.min(parallelism, count))
        expect(run.ended).toBe(true)
        expect(run.verdict).toMatchObject({ state: 'SUCCESS', counts: { targets: count, succeeded: count } })
        expect(told).toEqual([...Array.from({ length: count }, () => false), true])
      },
    ),
    { numRuns: 60 },
  )
})

test('the record has the time of the end as soon as there is one', async () => {
  const { run, hosts, ended } = runOf(targetsOf(1), 1)
  expect(run.record).toEqual({ id: 'uid-1', startTime: '2026-01-02T12:00:00Z' })
  expect(run.verdict.state).toBe('RUNNING')
  hosts.pending[0]!.answer()
  await ended
  expect(run.record).toEqual({
    ...{ id: 'uid-1', startTime: '2026-01-02T12:00:00Z', finishTime: '2026-01-02T12:00:05Z' },
  })
})

describe('an abort', () => {
  test('ends what is in flight, sends nothing more, and the run never ends', async () => {
    const { run, hosts, told } = runOf(targetsOf(10), 3)
    hosts.pending[0]!.answer()
    await settled()
    await run.abort()
    expect(hosts.pending).toEqual([])
    await settled()
    expect(hosts.received.length).toBe(4)
    expect(told).toEqual([false])
    expect(run.ended).toBe(false)
    expect(run.verdict).toMatchObject({ state: 'RUNNING', counts: { succeeded: 1 } })
    await run.abort()
  })

  test('between two deliveries sends nothing more', async () => {
    let abort: () => Promise<void> = async () => undefined
    const { run, hosts, told } = runOf(targetsOf(3), 1, { changed: () => void abort() })
    abort = () => run.abort()
    hosts.pending[0]!.answer()
    await settled()
    await run.abort()
    expect(hosts.received).toEqual(['h0000'])
    expect([run.ended, told]).toEqual([false, []])
  })

  test('resolves although a delivery ends in another way than by the abort', async () => {
    const { promise, reject } = Promise.withResolvers<Outcome>()
    const { run } = runOf(targetsOf(1), 1, { deliver: () => promise })
    const aborted = run.abort()
    reject(new Error('something else'))
    await aborted
    expect(run.ended).toBe(false)
  })
})

test('a delivery that throws costs its own host the outcome, no other host and not the process', async () => {
  const { run, ended } = runOf(targetsOf(3), 1, {
    deliver: async ({ host }) => {
      if (host === 'h0001') throw new TypeError('a mistake of ours')
      return { host, outcome: 'succeeded' }
    },
  })
  await ended
  expect(run.verdict).toMatchObject({
    ...{ state: 'ERROR', counts: { succeeded: 2, unknown: 1 } },
    failures: [{ host: 'h0001', reason: 'InternalError', message: 'the operator failed: TypeError' }],
  })
})

test.each([
  [64, 10, 64],
  [1, 10, 1],
  ['100%', 10, 10],
  ['1%', 500, 5],
  ['1%', 501, 6],
  ['1%', 3, 1],
  ['50%', 3, 2],
  ['10%', 0, 1],
])('parallelism %j of %d targets is %d', (wanted, targets, parallelism) => {
  expect(parallelismOf(wanted, targets)).toBe(parallelism)
})
