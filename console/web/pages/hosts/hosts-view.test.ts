import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { HostRow } from '../../../protocol/hosts.ts'
import { parseSearch, stringifySearch } from '../../search.ts'
import { hostState, hostStates } from '../../ui/host-state.ts'
import { facets, facetValue, hostsViewOf, showHosts, sortKeys, toggled, type HostsView } from './hosts-view.ts'

const condition = fc.constantFrom('True' as const, 'False' as const, 'Unknown' as const)
const row: fc.Arbitrary<HostRow> = fc.record({
  name: fc.integer({ min: 1, max: 999 }).map((number) => `worker-${number}`),
  uid: fc.constant(''),
  role: fc.constantFrom('ControlPlane' as const, 'Worker' as const),
  online: condition,
  ready: condition,
  reason: fc.constantFrom('', 'NodeNotReady', 'AgentUnreachable'),
  message: fc.constant(''),
  address: fc.constantFrom('', '10.0.0.9', '10.0.0.10'),
  os: fc.constantFrom('', 'Debian GNU/Linux 12 (bookworm)'),
  kernel: fc.constantFrom('6.1', '6.12'),
  agentVersion: fc.constantFrom('', '0.1.0'),
  labels: fc.constantFrom({}, { rack: 'r1' }, { rack: 'r2', gpu: 'true' }),
  createdAt: fc.constant('2026-01-01T00:00:00Z'),
})
const rows = fc.uniqueArray(row, { selector: ({ name }) => name, maxLength: 30 })
const view: fc.Arbitrary<HostsView> = fc
  .record(
    {
      q: fc.constantFrom('worker', 'rack=r1', '10.0 gpu', 'nothing'),
      state: fc.subarray([...hostStates]),
      reason: fc.subarray(['none', 'NodeNotReady', 'AgentUnreachable']),
      role: fc.subarray(['ControlPlane', 'Worker']),
      os: fc.subarray(['none', 'Debian GNU/Linux 12 (bookworm)']),
      agent: fc.subarray(['none', '0.1.0', '9.9.9']),
      sort: fc.constantFrom(...sortKeys),
      order: fc.constant('descending'),
    },
    { requiredKeys: [] },
  )
  .map(hostsViewOf)

/** The same, in the plainest words. */
function matches(host: HostRow, wanted: HostsView): boolean {
  const labels = Object.entries(host.labels).map(([key, value]) => `${key}=${value}`)
  const text = [host.name, host.address, host.reason, ...labels].join(' ')
  if (!(wanted.q ?? '').split(' ').every((word) => text.includes(word))) return false
  return facets.every((facet) => {
    const values: readonly string[] = wanted[facet] ?? []
    return values.length === 0 || values.includes(facetValue(facet, host))
  })
}

test('the hosts that match are shown, each once', () => {
  fc.assert(
    fc.property(rows, view, (hosts, wanted) => {
      const shown = showHosts(hosts, wanted).rows
      expect(new Set(shown)).toEqual(new Set(hosts.filter((host) => matches(host, wanted))))
      expect(shown.length).toBe(new Set(shown).size)
    }),
  )
})

test('a facet counts what its values would show, whatever it is set to', () => {
  fc.assert(
    fc.property(rows, view, fc.constantFrom(...facets), (hosts, wanted, facet) => {
      for (const [value, count] of showHosts(hosts, wanted).counts[facet]) {
        const alone = hostsViewOf({ ...wanted, [facet]: [value] })
        expect(count).toBe(hosts.filter((host) => matches(host, alone)).length)
      }
    }),
  )
})

test('descending is the other way round, but for what is empty and for equal ones', () => {
  const host = (name: string, reason: string): HostRow => ({ ...fc.sample(row, 1)[0]!, name, reason })
  const hosts = [host('a', ''), host('b', 'X'), host('c', 'Y'), host('d', 'X')]
  const names = (sort: Record<string, string>) => showHosts(hosts, hostsViewOf(sort)).rows.map(({ name }) => name)
  expect(names({ sort: 'reason' })).toEqual(['b', 'd', 'c', 'a'])
  expect(names({ sort: 'reason', order: 'descending' })).toEqual(['c', 'b', 'd', 'a'])
  expect(names({ order: 'descending' })).toEqual(['d', 'c', 'b', 'a'])
})

test('addresses are sorted as numbers', () => {
  const host = (address: string): HostRow => ({ ...fc.sample(row, 1)[0]!, address })
  const shown = showHosts([host('10.0.0.10'), host('10.0.0.9')], { sort: 'address' }).rows
  expect(shown.map(({ address }) => address)).toEqual(['10.0.0.9', '10.0.0.10'])
})

test('a view is the same after a way through the address', () => {
  fc.assert(
    fc.property(view, (wanted) => {
      expect(hostsViewOf(parseSearch(stringifySearch({ ...wanted })))).toEqual(wanted)
    }),
  )
})

test('an address that makes no sense narrows nothing', () => {
  expect(hostsViewOf(parseSearch('?state=Nowhere&view=list&sort=x&order=up&other=1'))).toEqual({})
})

test('a value is put into a facet, and taken out again', () => {
  const one = toggled({}, 'state', 'Offline')
  expect(one).toEqual({ state: ['Offline'] })
  expect(toggled(one, 'state', 'Offline')).toEqual({})
})

test('the state tells the Node from the agent', () => {
  expect(hostState({ online: 'True', ready: 'True' })).toBe('Ready')
  expect(hostState({ online: 'True', ready: 'False' })).toBe('NotReady')
  expect(hostState({ online: 'False', ready: 'False' })).toBe('Offline')
  expect(hostState({ online: 'True', ready: 'Unknown' })).toBe('Unknown')
})
