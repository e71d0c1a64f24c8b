import type { RequestRow } from '../../../protocol/requests.ts'
import { listOf, oneOf, textOf } from '../../search.ts'

export const runStates = ['RUNNING', 'PAUSED', 'ERROR', 'PENDING', 'SUCCESS'] as const
export type RunState = (typeof runStates)[number]

const sortKeys = ['created', 'name', 'state'] as const
export type SortKey = (typeof sortKeys)[number]

/** What of the list is seen, as the address says it; whatever is absent narrows nothing. */
export interface RequestsView {
  readonly q?: string
  readonly state?: RunState
  readonly namespace?: string
  readonly sort?: SortKey
  readonly order?: 'ascending' | 'descending'
}

export function requestsViewOf(search: Readonly<Record<string, unknown>>): RequestsView {
  const [q, namespace] = [textOf(search['q']), textOf(search['namespace'])]
  const [state, sort] = [oneOf(search['state'], runStates), oneOf(search['sort'], sortKeys)]
  const order = oneOf(search['order'], ['ascending', 'descending'] as const)
  return {
    ...(q !== '' && { q }),
    ...(namespace !== '' && { namespace }),
    ...(state !== undefined && { state }),
    ...(sort !== undefined && { sort }),
    ...(order !== undefined && { order }),
  }
}

/** Rows that the view shows, in its order; the newest first where it says none. */
export function shownRequests(rows: readonly RequestRow[], view: RequestsView): RequestRow[] {
  const words = (view.q ?? '')
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  const found = rows.filter((row) => {
    if (view.state !== undefined && stateOf(row) !== view.state) return false
    if (view.namespace !== undefined && row.namespace !== view.namespace) return false
    const text = textOfRow(row)
    return words.every((word) => text.includes(word))
  })
  const { sort = 'created', order = sort === 'created' ? 'descending' : 'ascending' } = view
  const compare = comparisons[sort]
  return order === 'ascending' ? found.toSorted(compare) : found.toSorted((a, b) => compare(b, a))
}

/** The state of what the spec asks for: a run that has ended says nothing of one that was asked for since. */
export function stateOf({ state, finished }: Pick<RequestRow, 'state' | 'finished'>): RunState {
  return (state === 'SUCCESS' || state === 'ERROR') && !finished ? 'PENDING' : state
}

/** How many there are of each state, of those that the rest of the view shows. */
export function countStates(rows: readonly RequestRow[], view: RequestsView): ReadonlyMap<RunState, number> {
  const counts = new Map<RunState, number>()
  const { state: _, ...rest } = view
  for (const row of shownRequests(rows, rest)) counts.set(stateOf(row), (counts.get(stateOf(row)) ?? 0) + 1)
  return counts
}

export function namespacesOf(rows: readonly RequestRow[]): string[] {
  return [...new Set(rows.map(({ namespace }) => namespace))].toSorted()
}

function textOfRow({ namespace, name, method, port, api, msg, reasons }: RequestRow): string {
  return [`${namespace}/${name}`, method, `:${port}${api}`, msg, ...reasons.map(({ reason }) => reason)]
    .join(' ')
    .toLowerCase()
}

const names = new Intl.Collator('en', { numeric: true })

const comparisons: Readonly<Record<SortKey, (a: RequestRow, b: RequestRow) => number>> = {
  created: (a, b) => a.createdAt.localeCompare(b.createdAt) || byName(a, b),
  name: byName,
  state: (a, b) =>
    runStates.indexOf(stateOf(a)) - runStates.indexOf(stateOf(b)) || b.createdAt.localeCompare(a.createdAt),
}

function byName(a: RequestRow, b: RequestRow): number {
  return names.compare(a.name, b.name) || names.compare(a.namespace, b.namespace)
}

/** What the address of the compose page may bring along. */
export interface ComposeStart {
  /** Names of hosts. */
  readonly hosts?: readonly string[]
  /** NAMESPACE/NAME of a request to begin from. */
  readonly copy?: string
  /** NAMESPACE/NAME of the dry run that is looked at. */
  readonly review?: string
}

export function composeStartOf(search: Readonly<Record<string, unknown>>): ComposeStart {
  const hosts = listOf(search['hosts'])
  const [copy, review] = [textOf(search['copy']), textOf(search['review'])].map((text) => (isKey(text) ? text : ''))
  return {
    ...(hosts.length > 0 && { hosts }),
    ...(copy !== '' && { copy: copy! }),
    ...(review !== '' && { review: review! }),
  }
}

function isKey(text: string): boolean {
  return /^[a-z0-9-]+\/[a-z0-9.-]+$/.test(text)
}

/** @param key NAMESPACE/NAME. */
export function partsOf(key: string): { readonly namespace: string; readonly name: string } {
  const [namespace = '', name = ''] = key.split('/')
  return { namespace, name }
}
