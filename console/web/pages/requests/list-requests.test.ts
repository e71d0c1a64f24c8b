import { describe, expect, test } from 'vitest'
import type { RequestRow } from '../../../protocol/requests.ts'
import { composeStartOf, countStates, requestsViewOf, shownRequests, type RequestsView } from './list-requests.ts'

function row(name: string, changes: Partial<RequestRow> = {}): RequestRow {
  return {
    ...{
      namespace: 'default',
      name,
      uid: name,
      createdAt: '2026-01-01T00:00:00Z',
      method: 'GET',
      port: 7117,
      api: '/v1/facts',
    },
    ...{
      targetType: 'All',
      workers: 0,
      dryRun: false,
      suspend: false,
      state: 'SUCCESS',
      finished: true,
      msg: '',
      progress: '0/0',
    },
    ...{
      counts: { targets: 0, succeeded: 0, failed: 0, unknown: 0, skipped: 0 },
      wave: 0,
      waves: 1,
      round: 0,
      reasons: [],
    },
    ...changes,
  }
}

const rows = [
  row('b-10', { createdAt: '2026-01-01T00:00:02Z' }),
  row('b-9', { createdAt: '2026-01-01T00:00:01Z', state: 'ERROR', msg: '1/2 hosts answered; failed: worker-2' }),
  row('a', { namespace: 'team', state: 'RUNNING', method: 'POST', api: '/v1/sysctl' }),
]

describe('the list of requests', () => {
  test.each<[RequestsView, string[]]>([
    [{}, ['b-10', 'b-9', 'a']],
    [{ order: 'ascending' }, ['a', 'b-9', 'b-10']],
    [{ sort: 'name' }, ['a', 'b-9', 'b-10']],
    [{ sort: 'state' }, ['a', 'b-9', 'b-10']],
    [{ state: 'ERROR' }, ['b-9']],
    [{ namespace: 'team' }, ['a']],
    [{ q: 'POST  sysctl' }, ['a']],
    [{ q: 'worker-2' }, ['b-9']],
    [{ q: 'team/a' }, ['a']],
    [{ q: 'nothing' }, []],
  ])('%j', (view, names) => {
    expect(shownRequests(rows, view).map(({ name }) => name)).toEqual(names)
  })

  test('tells how many of each state the other filters leave', () => {
    expect([...countStates(rows, { state: 'ERROR', namespace: 'default' })]).toEqual([
      ['SUCCESS', 1],
      ['ERROR', 1],
    ])
  })
})

test('an address says what it can say, and whatever else is in it is nothing', () => {
  expect(requestsViewOf({ q: 'a', state: 'ERROR', sort: 'name', order: 'descending', other: '1' })).toEqual({
    ...{ q: 'a', state: 'ERROR', sort: 'name', order: 'descending' },
  })
  expect(requestsViewOf({ q: '', state: 'BROKEN', sort: ['x'], namespace: '' })).toEqual({})
  expect(composeStartOf({ hosts: ['a', 'b', 'a'], copy: 'team/x.y', review: '../x' })).toEqual({
    hosts: ['a', 'b'],
    copy: 'team/x.y',
  })
  expect(composeStartOf({ hosts: 'a' })).toEqual({ hosts: ['a'] })
})
