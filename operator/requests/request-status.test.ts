import { HostRequestStatus } from '@keelson/api'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Outcome } from './outcome.ts'
import { isFinal, names, refusedVerdict, statusOf, verdictOf } from './request-status.ts'
import type { Targets } from './targets.ts'

const now = new Date('2026-01-02T12:00:00Z')
const context = {
  ...{ generation: 3, present: undefined, now },
  run: { id: `${crypto.randomUUID()}-3`, startTime: '2026-01-02T11:59:00Z' },
}

const targetsOf = (online: readonly string[], skipped: Targets['skipped'] = []): Targets => ({
  ...{ online: online.map((host) => ({ host, address: '10.0.0.1' })), skipped, unknown: [] },
})
const succeeded = (host: string): Outcome => ({ host, outcome: 'succeeded' })
const failed = (host: string, message = 'HTTP 500', code: number | null = 500): Outcome => ({
  ...{ host, outcome: 'failed', reason: 'HTTPStatus', message },
  ...(code === null ? {} : { code }),
})
const unknown = (host: string, message = 'connection lost'): Outcome => ({
  ...{ host, outcome: 'unknown', reason: 'ConnectionLost', message },
})

/** The conditions that are true. */
const conditionsOf = (status: HostRequestStatus) =>
  status.conditions.filter(({ status: is }) => is === 'True').map(({ type }) => type)

describe('verdicts', () => {
  test('every online target answered: SUCCESS, whoever was skipped is named', () => {
    const targets = targetsOf(['node1', 'node2'], [{ host: 'node3', reason: 'Offline' }])
    const verdict = verdictOf({ targets, outcomes: ['node2', 'node1'].map(succeeded), ended: true })
    expect(verdict).toEqual({
      state: 'SUCCESS',
      reason: 'Succeeded',
      msg: '2/2 hosts answered; skipped: node3 (offline)',
      counts: { targets: 3, succeeded: 2, failed: 0, unknown: 0, skipped: 1 },
      failures: [],
    })
    expect(statusOf(verdict, context)).toMatchObject({ state: 'SUCCESS', progress: '2/2', observedGeneration: 3 })
    expect(conditionsOf(statusOf(verdict, context))).toEqual(['Ready', 'Finished'])
  })

  test('one host that failed: ERROR, with its name, cause and code, by name', () => {
    const outcomes = [failed('node9'), succeeded('node2'), failed('node1', 'connection refused', null)]
    const verdict = verdictOf({ targets: targetsOf(['node1', 'node2', 'node9']), outcomes, ended: true })
    expect(verdict).toEqual({
      state: 'ERROR',
      reason: 'HostsFailed',
      msg: '1/3 hosts answered; failed: node1 (connection refused); failed: node9 (HTTP 500)',
      counts: { targets: 3, succeeded: 1, failed: 2, unknown: 0, skipped: 0 },
      failures: [
        { host: 'node1', reason: 'HTTPStatus', message: 'connection refused' },
        { host: 'node9', reason: 'HTTPStatus', code: 500, message: 'HTTP 500' },
      ],
    })
    expect(conditionsOf(statusOf(verdict, context))).toEqual(['Stalled', 'Finished'])
  })

  test('a lost answer is unknown, no failure, and no success either', () => {
    const outcomes = [succeeded('a'), unknown('b')]
    expect(verdictOf({ targets: targetsOf(['a', 'b']), outcomes, ended: true })).toMatchObject({
      state: 'ERROR',
      msg: '1/2 hosts answered; unknown: b (connection lost)',
      counts: { targets: 2, succeeded: 1, failed: 0, unknown: 1, skipped: 0 },
      failures: [{ host: 'b', reason: 'ConnectionLost', message: 'connection lost' }],
    })
  })

  test('under way: RUNNING, whatever came so far', () => {
    const verdict = verdictOf({ targets: targetsOf(['a', 'b', 'c']), outcomes: [failed('b')], ended: false })
    expect(verdict).toMatchObject({ state: 'RUNNING', counts: { targets: 3, succeeded: 0, failed: 1, unknown: 0 } })
    expect(statusOf(verdict, context).progress).toBe('0/3')
    expect(conditionsOf(statusOf(verdict, context))).toEqual(['Reconciling'])
  })

  test('refused: ERROR with nothing counted but what is told', () => {
    const status = statusOf(refusedVerdict('NoTargets', 'why', { targets: 1, skipped: 1 }), context)
    expect(status).toMatchObject({ state: 'ERROR', msg: 'why', progress: '0/0', failures: [] })
    expect(status.counts).toEqual({ targets: 1, succeeded: 0, failed: 0, unknown: 0, skipped: 1 })
    expect(conditionsOf(status)).toEqual(['Stalled', 'Finished'])
  })

  test('equal causes are told once, the most frequent first, with three hosts', () => {
    const hosts = Array.from({ length: 12 }, (_, index) => `h${String(index).padStart(2, '0')}`)
    const outcomes = hosts.map((host, index) => (index === 0 ? failed(host, 'host down') : failed(host)))
    expect(verdictOf({ targets: targetsOf(hosts), outcomes, ended: true }).msg).toBe(
      '0/12 hosts answered; failed: h01, h02, h03 and 8 more (HTTP 500); failed: h00 (host down)',
    )
  })

  test('skipped hosts are grouped by cause', () => {
    const skipped = ['a', 'b', 'c', 'd', 'e'].map((host, index) => ({
      ...{ host, reason: index === 2 ? 'NotTargeted' : 'Offline' },
    })) as Targets['skipped']
    expect(verdictOf({ targets: targetsOf(['z'], skipped), outcomes: [succeeded('z')], ended: true }).msg).toBe(
      '1/1 hosts answered; skipped: a, b, d and 1 more (offline); skipped: c (not targeted)',
    )
  })

  test('states', () => {
    expect(['PENDING', 'RUNNING', 'SUCCESS', 'ERROR'].filter((state) => isFinal(state as 'RUNNING'))).toEqual([
      ...['SUCCESS', 'ERROR'],
    ])
    expect(names([{ host: 'a' }, { host: 'b' }], 1)).toBe('a and 1 more')
  })

  test('transition times stay while the run goes on, and move with its end', () => {
    const running = statusOf(verdictOf({ targets: targetsOf(['a']), outcomes: [], ended: false }), context)
    const after = { ...context, present: running.conditions, now: new Date('2026-01-02T13:00:00Z') }
    const still = statusOf(verdictOf({ targets: targetsOf(['a']), outcomes: [], ended: false }), after)
    expect(still.conditions).toEqual(running.conditions)
    const done = statusOf(verdictOf({ targets: targetsOf(['a']), outcomes: [failed('a')], ended: true }), after)
    const times = Object.fromEntries(done.conditions.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]))
    expect(times).toEqual({
      ...{ Ready: '2026-01-02T12:00:00Z', Reconciling: '2026-01-02T13:00:00Z' },
      ...{ Stalled: '2026-01-02T13:00:00Z', Finished: '2026-01-02T13:00:00Z' },
    })
  })
})

describe('bounds', () => {
  const character = fc.constantFrom('a', ' ', '"', '\\', '机', '点', '🦀', '\n', '\0', '\u0085', '\ud800')
  const message = fc.string({ unit: character, maxLength: 2_000 })
  const outcome: fc.Arbitrary<(host: string) => Outcome> = fc.oneof(
    fc.constant(succeeded),
    fc.tuple(message, fc.constantFrom(100, 500, 599, null)).map(
      ([text, code]) =>
        (host: string) =>
          failed(host, text, code),
    ),
    message.map((text) => (host: string) => unknown(host, text)),
  )
  /** As long as names may be. */
  const nameOf = (index: number) => `${String(index).padStart(4, '0')}.`.padEnd(253, 'x')

  test('the API takes every status that is made, and its lists are sorted', () => {
    fc.assert(
      fc.property(
        ...[fc.array(outcome, { maxLength: 40 }), fc.nat(40), fc.nat(40), fc.boolean(), fc.infiniteStream(fc.nat())],
        (made, offline, notTargeted, ended, random) => {
          const hosts = made.map((_, index) => nameOf(index))
          const skipped = Array.from({ length: offline + notTargeted }, (_, index) => ({
            ...{ host: nameOf(1_000 + index), reason: index < offline ? 'Offline' : 'NotTargeted' },
          })) as Targets['skipped']
          const outcomes = made
            .map((one, index) => ({ one: one(hosts[index]!), place: random.next().value }))
            .toSorted((a, b) => a.place - b.place)
            .map(({ one }) => one)
          const status = statusOf(verdictOf({ targets: targetsOf(hosts, skipped), outcomes, ended }), context)
          expect(HostRequestStatus.parse(status)).toEqual(status)
          const failing = outcomes.filter((one) => one.outcome !== 'succeeded').map(({ host }) => host)
          expect(status.failures.map(({ host }) => host)).toEqual(failing.toSorted().slice(0, 20))
          const { targets, skipped: left, ...ends } = status.counts
          expect([targets, left]).toEqual([hosts.length + skipped.length, skipped.length])
          expect(ends.succeeded + ends.failed + ends.unknown).toBe(hosts.length)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('5,000 targets that all failed, each with other words: 64 KiB at most', () => {
    const hosts = Array.from({ length: 5_000 }, (_, index) => nameOf(index))
    for (const padding of ['"', '机', '🦀', 'x']) {
      const outcomes = hosts.map((host, index) => failed(host, `${index} ${padding.repeat(300)}`))
      const status = statusOf(verdictOf({ targets: targetsOf(hosts), outcomes, ended: true }), context)
      expect(HostRequestStatus.parse(status)).toEqual(status)
      expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThanOrEqual(64 * 1024)
      expect(status.msg.startsWith('0/5000 hosts answered; failed: 0000.x')).toBe(true)
      expect(status.progress).toBe('0/5000')
    }
  })

  test('a refusal with long words is cut', () => {
    fc.assert(
      fc.property(message, (text) => {
        const status = statusOf(refusedVerdict('SpecRefused', text.repeat(3)), context)
        expect(HostRequestStatus.parse(status)).toEqual(status)
      }),
    )
  })
})
