import { expect, test } from 'vitest'
import { actionsOf, type Action } from './actions.ts'
import { stateOf } from './outcome.ts'
import { request } from './run.fixture.ts'

const always: Action[] = ['copy', 'delete']
const ended = { targets: 4, succeeded: 2, failed: 1, unknown: 1, skipped: 0 }
const dryRun = { request: { method: 'GET' as const, url: '', headers: [] } }

test.each<[string, Parameters<typeof request>, Action[]]>([
  ['under way', [{}], ['pause', 'abort']],
  ['suspended, not told yet', [{ suspend: true }], ['resume', 'abort']],
  ['paused after a failure', [{}, { state: 'PAUSED' }], ['resume', 'abort']],
  ['not begun', [{}, { state: 'PENDING', run: { startTime: undefined } }], ['pause']],
  ['ended with failures', [{}, { state: 'ERROR', counts: ended }], ['retry', 'run']],
  ['ended well', [{}, { state: 'SUCCESS' }], ['run']],
  ['ended, and asked for once more', [{}, { state: 'SUCCESS', observedGeneration: 0 }], ['pause']],
  ['a dry run', [{ dryRun: true }, { state: 'SUCCESS', dryRun }], ['send', 'run']],
  ['a dry run with nobody to send to', [{ dryRun: true }, { state: 'ERROR', dryRun }], ['run']],
])('%s', (_, of, possible) => {
  expect(actionsOf(request(...of))).toEqual([...possible, ...always])
})

test('a run that ended does not speak for one that was asked for since, a run under way is not over by a change', () => {
  expect(stateOf(request({}, { state: 'SUCCESS' }))).toBe('SUCCESS')
  expect(stateOf(request({}, { state: 'SUCCESS', observedGeneration: 0 }))).toBe('PENDING')
  expect(stateOf(request({}, { state: 'RUNNING', observedGeneration: 0 }))).toBe('RUNNING')
})
