import { IndexSet } from '@keelson/api'
import { expect, test } from 'vitest'
import { beginning } from '../runs/run-record.ts'
import { historyFor } from './history.ts'
import { refusedStatus, runStatus, suspendedStatus } from './request-status.ts'
import { nothingTold } from './told.ts'

const now = '2026-01-02T13:00:00Z'
const context = {
  ...{ generation: 1, present: undefined, history: [], now: '2026-01-02T12:00:00Z' },
  run: { id: 'a-1', specDigest: 's', startTime: '2026-01-02T11:59:00Z', targets: { digest: 't' } },
}
const view = {
  ...{
    names: ['a', 'b', 'c', 'd', 'e'],
    details: new Map(),
    answers: new Map(),
    told: nothingTold,
    notTargeted: new Set<string>(),
  },
  record: { ...beginning, epoch: 1, succeeded: IndexSet.of([0]), failed: IndexSet.of([1]), claim: IndexSet.of([2]) },
}

test('there is none before the first run, nor of the present one', () => {
  expect(historyFor('a-1', undefined, now)).toEqual([])
  expect(historyFor('a-1', runStatus(view, context), now)).toEqual([])
})

test('a run that has ended is told as it ended', () => {
  const record = { ...view.record, claim: IndexSet.empty, failed: IndexSet.empty, succeeded: IndexSet.upTo(5) }
  const word = { kind: 'finished', reason: 'Done', unsent: IndexSet.empty } as const
  expect(historyFor('a-2', runStatus({ ...view, record, word }, context), now)).toEqual([
    {
      ...{ id: 'a-1', state: 'SUCCESS', finishTime: '2026-01-02T12:00:00Z' },
      counts: { targets: 5, succeeded: 5, failed: 0, unknown: 0, skipped: 0 },
    },
  ])
  expect(historyFor('a-2', refusedStatus({ reason: 'NoTargets', msg: '' }, context), now)).toMatchObject([
    { id: 'a-1', state: 'ERROR' },
  ])
})

test('one that a changed spec ends early: what is in flight is unknown, the rest was not sent to', () => {
  expect(historyFor('a-2', runStatus(view, context), now)).toEqual([
    {
      id: 'a-1',
      state: 'ERROR',
      counts: { targets: 5, succeeded: 1, failed: 1, unknown: 1, skipped: 2 },
      finishTime: now,
    },
  ])
})

test('one that was suspended before it began was none', () => {
  expect(historyFor('a-2', suspendedStatus(context), now)).toEqual([])
})

test('the last five, the last one first', () => {
  let status = runStatus(view, context)
  for (let run = 2; run <= 8; run += 1) {
    const id = `a-${run}`
    const history = historyFor(id, status, now)
    status = runStatus(view, { ...context, history, run: { ...context.run, id } })
  }
  expect(historyFor('a-9', status, now).map(({ id }) => id)).toEqual(['a-8', 'a-7', 'a-6', 'a-5', 'a-4'])
})
