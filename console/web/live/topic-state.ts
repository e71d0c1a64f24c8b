import type { HostRequest } from '@keelson/api'
import type { HostRow } from '../../protocol/hosts.ts'
import type { LiveEvent } from '../../protocol/live.ts'
import type { Problem } from '../../protocol/problem.ts'
import type { RequestRow } from '../../protocol/requests.ts'

export type Row = HostRow | RequestRow | HostRequest
export type TopicEvent = Exclude<LiveEvent, { type: 'lag' }>

/** What is known of one topic. Never changed, only replaced: a page that shows it sees by identity whether it has to render. */
export interface TopicState {
  /** Loading: its first snapshot is not complete. Held: `rows` was true when the last event came. Denied: the right is missing. */
  readonly phase: 'Loading' | 'Held' | 'Denied'
  readonly rows: ReadonlyMap<string, Row>
  /** The rows in the order of their keys, with numbers in them read as numbers: node-9 before node-10. */
  readonly list: readonly Row[]
  /** Pages of a snapshot that has begun and is not complete; until it is, the rows of before stay. */
  readonly incoming?: ReadonlyMap<string, Row>
  readonly problem?: Problem
}

export const nothingKnown: TopicState = Object.freeze({ phase: 'Loading', rows: new Map(), list: [] })

/** Keys as the protocol's removals bear them: a host's name, NAMESPACE/NAME of a request. */
export function keyOf(row: Row): string {
  if ('metadata' in row) return `${row.metadata.namespace ?? ''}/${row.metadata.name}`
  return 'namespace' in row ? `${row.namespace}/${row.name}` : row.name
}

const order = new Intl.Collator('en', { numeric: true })

/**
 * The state after these events, in their order. One copy of the rows for all of them, and sorting only where a row came or went: 5,000 hosts with hundreds
 * of changes a second cost a millisecond a batch.
 */
export function applyEvents(state: TopicState, events: readonly TopicEvent[]): TopicState {
  let { phase, problem } = state
  let incoming = state.incoming === undefined ? undefined : new Map(state.incoming)
  let rows: Map<string, Row> | undefined
  let resort = false
  const draft = () => (rows ??= new Map(state.rows))

  for (const event of events) {
    switch (event.type) {
      case 'snapshot': {
        if (event.reset || incoming === undefined) incoming = new Map()
        for (const row of event.items) incoming.set(keyOf(row), row)
        if (!event.last) break
        rows = incoming
        incoming = undefined
        resort = true
        phase = 'Held'
        problem = undefined
        break
      }
      case 'changes': {
        for (const target of incoming === undefined ? [draft()] : [draft(), incoming]) {
          for (const row of event.upserts) {
            const key = keyOf(row)
            if (!target.has(key)) resort = true
            target.set(key, row)
          }
          for (const key of event.removals) target.delete(key)
        }
        break
      }
      case 'denied': {
        rows = new Map()
        incoming = undefined
        phase = 'Denied'
        problem = event.problem
        break
      }
    }
  }

  if (resort && rows !== undefined)
    rows = new Map([...rows].toSorted(([a], [b]) => order.compare(a, b) || (a < b ? -1 : 1)))
  return {
    phase,
    rows: rows ?? state.rows,
    list: rows === undefined ? state.list : [...rows.values()],
    ...(incoming === undefined ? {} : { incoming }),
    ...(problem === undefined ? {} : { problem }),
  }
}
