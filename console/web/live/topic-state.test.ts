import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { HostRow } from '../../protocol/hosts.ts'
import { applyEvents, keyOf, nothingKnown, type TopicEvent, type TopicState } from './topic-state.ts'

const names = ['node-1', 'node-2', 'node-9', 'node-10', 'node-11', 'control-1']

function host(name: string, revision = 0): HostRow {
  return {
    ...{ name, uid: name, role: 'Worker', online: 'True', ready: 'True', reason: '', message: '', address: '' },
    ...{ os: '', kernel: String(revision), agentVersion: '', labels: {}, createdAt: '2026-01-01T00:00:00Z' },
  }
}

const row = fc.tuple(fc.constantFrom(...names), fc.nat(99)).map(([name, revision]) => host(name, revision))
const event: fc.Arbitrary<TopicEvent> = fc.oneof(
  fc.record({
    type: fc.constant('snapshot' as const),
    topic: fc.constant('hosts' as const),
    reset: fc.boolean(),
    items: fc.array(row, { maxLength: 4 }),
    last: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('changes' as const),
    topic: fc.constant('hosts' as const),
    upserts: fc.array(row, { maxLength: 4 }),
    removals: fc.array(fc.constantFrom(...names), { maxLength: 3 }),
  }),
  fc.constant<TopicEvent>({ type: 'denied', topic: 'hosts', problem: { code: 'Forbidden', message: 'no' } }),
)

/** A snapshot as the server sends it: pages, the first of which resets. */
function snapshot(rows: readonly HostRow[], size: number): TopicEvent[] {
  const pages = Math.max(1, Math.ceil(rows.length / size))
  return Array.from({ length: pages }, (_, page) => ({
    type: 'snapshot',
    topic: 'hosts',
    reset: page === 0,
    items: rows.slice(page * size, (page + 1) * size),
    last: page === pages - 1,
  }))
}

const shown = (state: TopicState) => state.list.map((item) => [keyOf(item), (item as HostRow).kernel])

test('a batch leads to what its events lead to one by one', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 12 }), fc.array(event, { maxLength: 12 }), (before, events) => {
      const start = applyEvents(nothingKnown, before)
      const single = events.reduce((state, next) => applyEvents(state, [next]), start)
      expect(applyEvents(start, events)).toEqual(single)
    }),
    { numRuns: 1_000 },
  )
})

test('the list holds every row once, in order, and nothing given is changed', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 12 }), fc.array(event, { maxLength: 6 }), (before, events) => {
      const start = applyEvents(nothingKnown, before)
      const copy = structuredClone(start)
      const end = applyEvents(start, events)
      expect(start).toEqual(copy)
      expect(end.list).toEqual([...end.rows.values()])
      expect([...end.rows].every(([key, item]) => keyOf(item) === key)).toBe(true)
      const keys = [...end.rows.keys()]
      expect(keys).toEqual(
        names.toSorted(new Intl.Collator('en', { numeric: true }).compare).filter((name) => keys.includes(name)),
      )
    }),
    { numRuns: 1_000 },
  )
})

test('after a snapshot and changes the rows are those of the server', () => {
  const change = fc.record({
    upserts: fc.array(row, { maxLength: 4 }),
    removals: fc.array(fc.constantFrom(...names), { maxLength: 2 }),
  })
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 6 }),
      fc.uniqueArray(row, { selector: ({ name }) => name, maxLength: 6 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(change, { maxLength: 6 }),
      (before, rows, size, changes) => {
        const server = new Map(rows.map((item) => [item.name, item]))
        const events: TopicEvent[] = [...before, ...snapshot(rows, size)]
        for (const { upserts, removals } of changes) {
          events.push({ type: 'changes', topic: 'hosts', upserts, removals })
          for (const item of upserts) server.set(item.name, item)
          for (const name of removals) server.delete(name)
        }
        const state = applyEvents(nothingKnown, events)
        expect(state.phase).toBe('Held')
        expect(new Map(state.rows)).toEqual(server)
      },
    ),
    { numRuns: 1_000 },
  )
})

test('while a new snapshot comes in, the rows of before stay', () => {
  const [first, second] = snapshot([host('node-1', 2), host('node-2', 2)], 1)
  const held = applyEvents(nothingKnown, snapshot([host('node-1', 1)], 1))
  const half = applyEvents(held, [first!])
  expect(shown(half)).toEqual([['node-1', '1']])
  expect(shown(applyEvents(half, [second!]))).toEqual([
    ['node-1', '2'],
    ['node-2', '2'],
  ])
})

test('who loses the right sees nothing of what was held, and sees again once it is back', () => {
  const held = applyEvents(nothingKnown, snapshot([host('node-1')], 1))
  const problem = { code: 'Forbidden', message: 'no' }
  const denied = applyEvents(held, [{ type: 'denied', topic: 'hosts', problem }])
  expect(denied).toMatchObject({ phase: 'Denied', list: [], problem })
  expect(applyEvents(denied, snapshot([host('node-1')], 1))).toEqual(held)
})
