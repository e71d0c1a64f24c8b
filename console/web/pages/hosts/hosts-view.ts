import type { HostRow } from '../../../protocol/hosts.ts'
import { listOf, oneOf, someOf, textOf } from '../../search.ts'
import { hostState, hostStates, type HostState } from '../../ui/host-state.ts'

export const facets = ['state', 'reason', 'role', 'os', 'agent'] as const
export type Facet = (typeof facets)[number]

export const sortKeys = ['name', 'state', 'reason', 'role', 'address', 'os', 'kernel', 'agent'] as const
type SortKey = (typeof sortKeys)[number]

/** What of the hosts is seen, as the address says it; whatever is absent narrows nothing. */
export interface HostsView {
  readonly q?: string
  readonly state?: readonly HostState[]
  readonly reason?: readonly string[]
  readonly role?: readonly HostRow['role'][]
  readonly os?: readonly string[]
  readonly agent?: readonly string[]
  readonly view?: 'tiles'
  readonly sort?: SortKey
  readonly order?: 'descending'
}

export function hostsViewOf(search: Readonly<Record<string, unknown>>): HostsView {
  const view = {
    q: textOf(search['q']),
    state: someOf(search['state'], hostStates),
    reason: listOf(search['reason']),
    role: someOf(search['role'], ['ControlPlane', 'Worker']),
    os: listOf(search['os']),
    agent: listOf(search['agent']),
    view: oneOf(search['view'], ['tiles']),
    sort: oneOf(search['sort'], sortKeys),
    order: oneOf(search['order'], ['descending']),
  }
  return Object.fromEntries(Object.entries(view).filter(([, value]) => value !== undefined && value.length > 0))
}

const facetValues: Readonly<Record<Facet, (row: HostRow) => string>> = {
  state: hostState,
  reason: ({ reason }) => reason,
  role: ({ role }) => role,
  os: ({ os }) => os,
  agent: ({ agentVersion }) => agentVersion,
}

/** What nothing is known of stands in addresses as this: an empty value would not stand there at all. */
export const withoutValue = 'none'

export function facetValue(facet: Facet, row: HostRow): string {
  return facetValues[facet](row) || withoutValue
}

const texts = new WeakMap<HostRow, string>()

/** All that is searched of a host; a row is never changed, so it is put together once. */
function textOfRow(row: HostRow): string {
  let text = texts.get(row)
  if (text === undefined) {
    const labels = Object.entries(row.labels).map(([key, value]) => `${key}=${value}`)
    text = [row.name, row.address, row.reason, ...labels].join('\n').toLowerCase()
    texts.set(row, text)
  }
  return text
}

export interface ShownHosts {
  /** Those that match, in the order of the view. */
  readonly rows: readonly HostRow[]
  /** How many hosts would match with each value of a facet, whatever the facet itself is set to; the most frequent first. */
  readonly counts: Readonly<Record<Facet, readonly (readonly [value: string, count: number])[]>>
}

/** One look at each host: who fails by a single facet counts for the other values of that facet. `rows` are in the order of their names. */
export function showHosts(rows: readonly HostRow[], view: HostsView): ShownHosts {
  const words = (view.q ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const wanted = facets.map((facet) => {
    const values: readonly string[] = view[facet] ?? []
    return values.length === 0 ? undefined : new Set(values)
  })
  const counts = facets.map(() => new Map<string, number>())
  const found: HostRow[] = []
  for (const row of rows) {
    if (words.length > 0) {
      const text = textOfRow(row)
      if (!words.every((word) => text.includes(word))) continue
    }
    const values = facets.map((facet) => facetValue(facet, row))
    let failed = -1
    let failures = 0
    for (const [index, set] of wanted.entries()) {
      if (set === undefined || set.has(values[index]!)) continue
      failed = index
      failures += 1
    }
    if (failures === 0) found.push(row)
    if (failures > 1) continue
    for (const [index, value] of values.entries()) {
      if (failures === 1 && index !== failed) continue
      const count = counts[index]!
      count.set(value, (count.get(value) ?? 0) + 1)
    }
  }
  const listed = facets.map((facet, index) => {
    const chosen: readonly string[] = view[facet] ?? []
    for (const value of chosen) if (!counts[index]!.has(value)) counts[index]!.set(value, 0)
    return [facet, [...counts[index]!].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))] as const
  })
  return { rows: sorted(found, view), counts: Object.fromEntries(listed) as Record<Facet, (typeof listed)[number][1]> }
}

const sortTexts: Readonly<Record<Exclude<SortKey, 'name'>, (row: HostRow) => string>> = {
  state: (row) => String(hostStates.indexOf(hostState(row))),
  reason: ({ reason }) => reason,
  role: ({ role }) => role,
  address: ({ address }) => address.replaceAll(/\d+/g, (digits) => digits.padStart(3, '0')),
  os: ({ os }) => os,
  kernel: ({ kernel }) => kernel,
  agent: ({ agentVersion }) => agentVersion,
}

/** Equal ones stay in the order of their names. What is empty comes last, in whichever direction. */
function sorted(rows: readonly HostRow[], { sort = 'name', order }: HostsView): readonly HostRow[] {
  if (sort === 'name') return order === 'descending' ? rows.toReversed() : rows
  const sign = order === 'descending' ? -1 : 1
  const keyed = rows.map((row) => [sortTexts[sort](row), row] as const)
  keyed.sort(([a], [b]) => {
    if (a === b) return 0
    if (a === '' || b === '') return a === '' ? 1 : -1
    return a < b ? -sign : sign
  })
  return keyed.map(([, row]) => row)
}

/** The view with a value of a facet put in, or taken out. */
export function toggled(view: HostsView, facet: Facet, value: string): HostsView {
  const values: readonly string[] = view[facet] ?? []
  const next = values.includes(value) ? values.filter((each) => each !== value) : [...values, value]
  return hostsViewOf({ ...view, [facet]: next })
}
