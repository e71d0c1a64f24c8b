import { expect, test } from 'vitest'
import { cellsOf, countOutcomes, hostsWith, shownCells } from './matrix.ts'
import { request } from './run.fixture.ts'

const failure = { host: 'd', reason: 'ConnectTimeout', message: 'no answer within 5 s' }
const { status } = request(
  {},
  {
    succeeded: '0',
    failed: '3',
    unknown: '1',
    failures: [failure],
    failureGroups: [{ reason: 'Interrupted', message: 'ended', count: 1, sample: ['b'] }],
    run: { claim: '2' },
  },
)
const names = ['a', 'b', 'c', 'd']
const cells = cellsOf(status!, names, [0, 1, 1, 2])

test('every host has its outcome, its wave and, where it is told, its reason; what failed comes first', () => {
  expect(cells.map(({ host, outcome, wave, reason }) => [host, outcome, wave, reason?.reason])).toEqual([
    ['d', 'Failed', 2, 'ConnectTimeout'],
    ['b', 'Unknown', 1, 'Interrupted'],
    ['c', 'Sending', 1, undefined],
    ['a', 'Succeeded', 0, undefined],
  ])
  expect(countOutcomes(cells)).toEqual([
    ['Failed', 1],
    ['Unknown', 1],
    ['Sending', 1],
    ['Succeeded', 1],
  ])
})

test('cells are found by outcome, wave, name and reason', () => {
  const shown = (filter: Partial<Parameters<typeof shownCells>[1]>) =>
    shownCells(cells, { text: '', ...filter }).map(({ host }) => host)
  expect(shown({ outcome: 'Failed' })).toEqual(['d'])
  expect(shown({ wave: 1 })).toEqual(['b', 'c'])
  expect(shown({ text: 'timeout' })).toEqual(['d'])
  expect(shown({ text: 'a', wave: 1 })).toEqual([])
})

test('whoever failed is named in the order of the targets', () => {
  expect(hostsWith(status!, names, ['Failed', 'Unknown'])).toEqual(['b', 'd'])
})

test('a set that nobody can read takes no page down, and a run that was broken off leaves nobody waiting', () => {
  const broken = request({}, { succeeded: '9-1', failed: '0', run: { finishTime: '2026-01-01T00:00:01Z' } }).status!
  expect(cellsOf(broken, ['a', 'b'], undefined).map(({ outcome }) => outcome)).toEqual(['Failed', 'Skipped'])
})
