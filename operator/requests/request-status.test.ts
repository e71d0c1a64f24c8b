import { HostRequestStatus, IndexSet } from '@keelson/api'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Finish, Word } from '../runs/carry-out.ts'
import { beginning } from '../runs/run-record.ts'
import { recordOf } from '../runs/status-record.ts'
import type { Outcome, Unsuccessful } from './outcome.ts'
import { brokenStatus, isFinal, observedAt, refusedStatus, runStatus, suspendedStatus } from './request-status.ts'
import type { RunView } from './run-view.ts'
import { nothingTold } from './told.ts'
import { names, verdictOf } from './verdict.ts'

const context = {
  ...{ generation: 3, present: undefined, history: [], now: '2026-01-02T12:00:00Z' },
  run: {
    ...{ id: `${crypto.randomUUID()}-3`, specDigest: 's'.repeat(22), startTime: '2026-01-02T11:59:00Z' },
    targets: { names: [], digest: 'x'.repeat(22) },
  },
}

/** What one target came to; `lost` is an outcome that is in the record and of which nothing else is known. */
type End = Outcome | 'open' | 'offline' | 'not targeted' | 'lost failed' | 'lost unknown'

const succeeded: End = { outcome: 'succeeded' }
const failed = (message = 'HTTP 500', code: number | null = 500): Unsuccessful => ({
  ...{ outcome: 'failed', reason: 'HTTPStatus', message },
  ...(code === null ? {} : { code }),
})
const unknown = (message = 'connection lost'): Unsuccessful => ({
  ...{ outcome: 'unknown', reason: 'ConnectionLost', message },
})
const outcomeOf = (end: End) => (typeof end === 'string' ? end.replace('lost ', '') : end.outcome)

function viewOf(ends: readonly (readonly [name: string, end: End])[], reason?: Finish['reason']): RunView {
  const members = (...wanted: readonly string[]) =>
    IndexSet.of(ends.flatMap(([, end], index) => (wanted.includes(outcomeOf(end)) ? [index] : [])))
  const stopped = reason !== undefined && reason !== 'Done'
  const open = members('open')
  const skipped = members('offline', 'not targeted')
  return {
    names: ends.map(([name]) => name),
    record: {
      ...{ ...beginning, epoch: 1, succeeded: members('succeeded'), failed: members('failed') },
      ...{ unknown: members('unknown'), skipped: stopped ? skipped.union(open) : skipped },
    },
    details: new Map(
      ends.flatMap(([, end], index) =>
        typeof end === 'string' || end.outcome === 'succeeded' ? [] : [[index, end] as const],
      ),
    ),
    ...{ answers: new Map(), told: nothingTold },
    notTargeted: new Set(ends.flatMap(([name, end]) => (end === 'not targeted' ? [name] : []))),
    word: reason && { kind: 'finished', reason, unsent: stopped ? open : IndexSet.empty },
  }
}

/** The conditions that are true. */
const conditionsOf = (status: HostRequestStatus) =>
  status.conditions.filter(({ status: is }) => is === 'True').map(({ type }) => type)

describe('verdicts', () => {
  test('every online target answered: SUCCESS, whoever was skipped is named', () => {
    const view = viewOf(Object.entries({ node1: succeeded, node2: succeeded, node3: 'offline' }), 'Done')
    const msg = '2/2 hosts answered; skipped: node3 (offline)'
    expect(verdictOf(view)).toEqual({ state: 'SUCCESS', reason: 'Succeeded', msg })
    const status = runStatus(view, context)
    expect(status).toMatchObject({
      ...{ state: 'SUCCESS', msg, progress: '2/2', observedGeneration: 3, failures: [] },
      ...{ succeeded: '0-1', failed: '', unknown: '', skipped: '2' },
      counts: { targets: 3, succeeded: 2, failed: 0, unknown: 0, skipped: 1 },
      run: { ...context.run, epoch: 1, round: 0, wave: 0, claim: '', finishTime: context.now },
    })
    expect(conditionsOf(status)).toEqual(['Ready', 'Finished'])
  })

  test('one host that failed: ERROR, with its name, cause and code, by number', () => {
    const ends = { node1: failed('connection refused', null), node2: succeeded, node9: failed() }
    const status = runStatus(viewOf(Object.entries(ends), 'Done'), context)
    expect(status).toMatchObject({
      state: 'ERROR',
      msg: '1/3 hosts answered; failed: node1 (connection refused); failed: node9 (HTTP 500)',
      counts: { targets: 3, succeeded: 1, failed: 2, unknown: 0, skipped: 0 },
    })
    expect(status.failures).toEqual([
      { host: 'node1', reason: 'HTTPStatus', message: 'connection refused' },
      { host: 'node9', reason: 'HTTPStatus', code: 500, message: 'HTTP 500' },
    ])
    expect(status.conditions.find(({ type }) => type === 'Stalled')?.reason).toBe('HostsFailed')
    expect(conditionsOf(status)).toEqual(['Stalled', 'Finished'])
  })

  test('a lost answer is unknown, no failure, and no success either', () => {
    expect(runStatus(viewOf(Object.entries({ a: succeeded, b: unknown() }), 'Done'), context)).toMatchObject({
      state: 'ERROR',
      msg: '1/2 hosts answered; unknown: b (connection lost)',
      counts: { targets: 2, succeeded: 1, failed: 0, unknown: 1, skipped: 0 },
      failures: [{ host: 'b', reason: 'ConnectionLost', message: 'connection lost' }],
    })
  })

  test('what an operator that has ended did not tell is told as that', () => {
    expect(runStatus(viewOf(Object.entries({ a: 'lost failed', b: 'lost unknown' }), 'Done'), context)).toMatchObject({
      msg: '0/2 hosts answered; failed: a (failed before another operator took over); unknown: b (the operator ended before the answer came)',
      failures: [
        { host: 'a', reason: 'Unrecorded' },
        { host: 'b', reason: 'Interrupted' },
      ],
    })
  })

  test('whether a host failed is what the record says, whatever else is known of it', () => {
    const view = viewOf([['a', 'lost unknown']], 'Done')
    expect(verdictOf({ ...view, details: new Map([[0, failed('refused', null)]]) }).msg).toBe(
      '0/1 hosts answered; unknown: a (refused)',
    )
  })

  test('under way: RUNNING, whatever came so far', () => {
    const status = runStatus(viewOf(Object.entries({ a: 'open', b: failed(), c: 'open' })), context)
    expect(status).toMatchObject({
      ...{ state: 'RUNNING', progress: '0/3', failures: [{ host: 'b' }] },
      counts: { targets: 3, succeeded: 0, failed: 1, unknown: 0, skipped: 0 },
    })
    expect(status.run.finishTime).toBeUndefined()
    expect(conditionsOf(status)).toEqual(['Reconciling'])
  })

  test.each([
    ['WaveFailed', 'a host of the wave failed'],
    ['TooManyFailures', 'more than maxFailures failed'],
    ['DeadlineExceeded', 'activeDeadlineSeconds are over'],
  ] as const)(
    'stopped, %s: who was not sent to is counted as skipped, told and not missing from progress',
    (reason, why) => {
      const ends = { a: succeeded, b: failed(), c: 'open', d: 'open', e: 'offline' } as const
      const status = runStatus(viewOf(Object.entries(ends), reason), context)
      expect(status).toMatchObject({
        ...{ state: 'ERROR', progress: '1/4', skipped: '2-4' },
        counts: { targets: 5, succeeded: 1, failed: 1, unknown: 0, skipped: 3 },
        msg: `1/4 hosts answered; stopped, ${why}: 2 hosts not sent to; failed: b (HTTP 500); skipped: e (offline)`,
      })
      expect(status.conditions.find(({ type }) => type === 'Stalled')).toMatchObject({ status: 'True', reason })
    },
  )

  test.each([
    ['Suspended', 'suspended; 2 hosts not sent to yet', []],
    [
      'WaveFailed',
      'paused, a host of the wave failed: set onFailure to Continue to go on or to Stop to end; 2 hosts not sent to yet',
      ['Stalled'],
    ],
    [
      'TooManyFailures',
      'paused, more than maxFailures failed: raise maxFailures to go on or set onFailure to Stop to end; 2 hosts not sent to yet',
      ['Stalled'],
    ],
  ] as const)('paused, %s: neither under way nor at its end, and what to do is told', (reason, why, conditions) => {
    const view = viewOf(Object.entries({ a: succeeded, b: failed(), c: 'open', d: 'open' } as const))
    const status = runStatus({ ...view, word: { kind: 'paused', reason } satisfies Word }, context)
    expect(status).toMatchObject({ state: 'PAUSED', progress: '1/4', counts: { skipped: 0 } })
    expect(status.msg).toBe(`1/4 hosts answered; ${why}; failed: b (HTTP 500)`)
    expect(status.run.finishTime).toBeUndefined()
    expect(conditionsOf(status)).toEqual(conditions)
    expect(status.conditions.find(({ type }) => type === 'Ready')?.reason).toBe(reason)
    expect(HostRequestStatus.parse(status)).toEqual(status)
  })

  test('suspended before it began: PAUSED, with no time running', () => {
    const status = suspendedStatus(context)
    expect(status).toMatchObject({ state: 'PAUSED', msg: 'suspended, not begun', progress: '0/0' })
    expect([status.run.startTime, status.run.finishTime]).toEqual([undefined, undefined])
    expect(conditionsOf(status)).toEqual([])
    expect(HostRequestStatus.parse(status)).toEqual(status)
  })

  test('nobody can carry it on: ERROR, and what was claimed is unknown', () => {
    const view = viewOf(Object.entries({ a: succeeded, b: failed(), c: 'open', d: 'open' } as const))
    const claimed = { ...view, record: { ...view.record, claim: IndexSet.of([2]) } }
    const why = { reason: 'TargetsLost', msg: 'why' }
    const status = brokenStatus(runStatus(claimed, context), why, context)
    expect(status).toMatchObject({
      ...{ state: 'ERROR', msg: 'why', unknown: '2', run: { claim: '', finishTime: context.now } },
      counts: { targets: 4, succeeded: 1, failed: 1, unknown: 1, skipped: 0 },
    })
    expect(conditionsOf(status)).toEqual(['Stalled', 'Finished'])
    expect(HostRequestStatus.parse(status)).toEqual(status)
  })

  test('an end is about a later generation too', () => {
    const status = refusedStatus({ reason: 'NoTargets', msg: 'why' }, context)
    const later = observedAt(status, 4)
    expect(later).toMatchObject({ state: 'ERROR', observedGeneration: 4, run: status.run })
    expect(later.conditions.map(({ observedGeneration }) => observedGeneration)).toEqual([4, 4, 4, 4])
  })

  test('nobody to send to: ERROR, who was skipped is named', () => {
    const view = viewOf(Object.entries({ control: 'not targeted', 'worker-2': 'offline' } as const), 'Done')
    expect(runStatus(view, context)).toMatchObject({
      ...{ state: 'ERROR', progress: '0/0', counts: { targets: 2, skipped: 2 } },
      msg: 'no host to send to; skipped: control (not targeted); skipped: worker-2 (offline); nothing was sent',
    })
    expect(verdictOf(view).reason).toBe('NoTargets')
  })

  test('refused: ERROR with nothing counted', () => {
    const status = refusedStatus({ reason: 'NoTargets', msg: 'why' }, context)
    expect(status).toMatchObject({ state: 'ERROR', msg: 'why', progress: '0/0', failures: [] })
    expect(status.counts).toEqual({ targets: 0, succeeded: 0, failed: 0, unknown: 0, skipped: 0 })
    expect(status.run.finishTime).toBe(context.now)
    expect(conditionsOf(status)).toEqual(['Stalled', 'Finished'])
  })

  test('equal causes are told once, the most frequent first, with three hosts', () => {
    const ends = Array.from({ length: 12 }, (_, index) => {
      const host = `h${String(index).padStart(2, '0')}`
      return [host, index === 0 ? failed('host down') : failed()] as const
    })
    expect(verdictOf(viewOf(ends, 'Done')).msg).toBe(
      '0/12 hosts answered; failed: h01, h02, h03 and 8 more (HTTP 500); failed: h00 (host down)',
    )
  })

  test('skipped hosts are grouped by cause', () => {
    const ends = ['a', 'b', 'c', 'd', 'e'].map(
      (host, index) => [host, index === 2 ? 'not targeted' : 'offline'] as const,
    )
    expect(verdictOf(viewOf([...ends, ['z', succeeded]], 'Done')).msg).toBe(
      '1/1 hosts answered; skipped: a, b, d and 1 more (offline); skipped: c (not targeted)',
    )
  })

  test('states', () => {
    expect((['PENDING', 'RUNNING', 'PAUSED', 'SUCCESS', 'ERROR'] as const).filter(isFinal)).toEqual([
      'SUCCESS',
      'ERROR',
    ])
    expect(names(['a', 'b'], 1)).toBe('a and 1 more')
  })

  test('transition times stay while the run goes on, and move with its end', () => {
    const running = runStatus(viewOf([['a', 'open']]), context)
    const after = { ...context, present: running.conditions, now: '2026-01-02T13:00:00Z' }
    expect(runStatus(viewOf([['a', 'open']]), after).conditions).toEqual(running.conditions)
    const done = runStatus(viewOf([['a', failed()]], 'Done'), after)
    const times = Object.fromEntries(done.conditions.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]))
    expect(times).toEqual({
      ...{ Ready: '2026-01-02T12:00:00Z', Reconciling: '2026-01-02T13:00:00Z' },
      ...{ Stalled: '2026-01-02T13:00:00Z', Finished: '2026-01-02T13:00:00Z' },
    })
  })
})

describe('bounds', () => {
  /** As the sender and the run hand them over: bounded, whatever a host or a library said. */
  const character = fc.constantFrom('a', ' ', '"', '\\', '机', '点', '🦀')
  const message = fc.string({ unit: character, maxLength: 60 })
  const end: fc.Arbitrary<End> = fc.oneof(
    fc.constantFrom<End>(succeeded, 'open', 'offline', 'not targeted', 'lost failed', 'lost unknown'),
    fc.tuple(message, fc.constantFrom(100, 500, 599, null)).map(([text, code]) => failed(text, code)),
    message.map((text) => unknown(text)),
  )
  const reason = fc.constantFrom(undefined, 'Done', 'WaveFailed', 'TooManyFailures', 'DeadlineExceeded')
  /** As long as names may be. */
  const nameOf = (index: number) => `${String(index).padStart(4, '0')}.`.padEnd(253, 'x')

  test('the API takes every status that is made, its lists are sorted, its counts add up, and the record comes back', () => {
    fc.assert(
      fc.property(fc.array(end, { maxLength: 60 }), reason, (made, why) => {
        const view = viewOf(
          made.map((one, index) => [nameOf(index), one] as const),
          why,
        )
        const status = runStatus(view, context)
        expect(HostRequestStatus.parse(status)).toEqual(status)
        expect(recordOf(status)).toEqual(view.record)
        const failing = made.flatMap((one, index) =>
          ['failed', 'unknown'].includes(outcomeOf(one)) ? [nameOf(index)] : [],
        )
        expect(status.failures.map(({ host }) => host)).toEqual(failing.slice(0, 20))
        expect(status.failureGroups.reduce((sum, { count }) => sum + count, 0)).toBe(failing.length)
        const { targets, ...ends } = status.counts
        const open = why === undefined || why === 'Done' ? made.filter((one) => one === 'open').length : 0
        expect(ends.succeeded + ends.failed + ends.unknown + ends.skipped + open).toBe(targets)
      }),
      { numRuns: 300 },
    )
  })

  test('a refusal with long words is cut', () => {
    const wild = fc.string({
      unit: fc.constantFrom('a', '"', '机', '🦀', '\n', '\0', '\u0085', '\ud800'),
      maxLength: 2_000,
    })
    fc.assert(
      fc.property(wild, (text) => {
        const status = refusedStatus({ reason: 'SpecRefused', msg: text.repeat(3) }, context)
        expect(HostRequestStatus.parse(status)).toEqual(status)
      }),
    )
  })
})
