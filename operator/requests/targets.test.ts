import type { Host, HostRequestSpec } from '@keelson/api'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { hostOf, specOf } from '../testing/objects.ts'
import { resolveTargets } from './targets.ts'

const names = ['a', 'b', 'c', 'd', 'node-10', 'node-9']
const host: fc.Arbitrary<Host> = fc
  .record({
    name: fc.constantFrom(...names),
    online: fc.boolean(),
    role: fc.constantFrom('ControlPlane', 'Worker'),
    labels: fc.constantFrom({}, { zone: 'a' }, { zone: 'b' }),
  })
  .map(hostOf)
const hosts = fc.uniqueArray(host, { selector: ({ metadata }) => metadata.name })
const spec: fc.Arbitrary<HostRequestSpec> = fc
  .record({
    workers: fc.array(fc.constantFrom(...names, 'nobody', 'constructor'), { maxLength: 6 }),
    targetType: fc.constantFrom('All', 'ControlPlane', 'Worker'),
    hostSelector: fc.constantFrom(undefined, {}, { matchLabels: { zone: 'a' } }),
  })
  .map(({ workers, targetType, hostSelector }) =>
    specOf({ workers, http: { targetType }, ...(hostSelector === undefined ? {} : { hostSelector }) }),
  )

const namesOf = (list: readonly { readonly host: string }[]) => list.map(({ host: name }) => name)

test('every named host is online, skipped or unknown, exactly once', () => {
  fc.assert(
    fc.property(spec, hosts, (wanted, present) => {
      const { online, skipped, unknown } = resolveTargets(wanted, present)
      const named = [...new Set(wanted.workers.map(({ name }) => name))]
      fc.pre(named.length > 0)
      expect([...namesOf(online), ...namesOf(skipped), ...unknown].toSorted()).toEqual(named.toSorted())
      expect(unknown).toEqual(
        named.filter((name) => !present.some(({ metadata }) => metadata.name === name)).toSorted(),
      )
    }),
  )
})

test('who is online is so, and chosen; who is offline is chosen all the same; who is not chosen is told only if named', () => {
  fc.assert(
    fc.property(spec, hosts, (wanted, present) => {
      const { online, skipped } = resolveTargets(wanted, present)
      const everyone = wanted.workers.length === 0
      for (const { metadata, status } of present) {
        const { name } = metadata
        const meant = everyone || wanted.workers.some((worker) => worker.name === name)
        const chosen =
          (wanted.http.targetType === 'All' || wanted.http.targetType === status?.role) &&
          (wanted.hostSelector?.matchLabels === undefined || metadata.labels?.['zone'] === 'a')
        const isOnline = status?.conditions.some(({ type, status: is }) => type === 'Online' && is === 'True')
        expect(namesOf(online).includes(name)).toBe(meant && chosen && isOnline)
        expect(skipped.find((one) => one.host === name)?.reason).toBe(
          !meant || (chosen && isOnline) ? undefined : chosen ? 'Offline' : everyone ? undefined : 'NotTargeted',
        )
      }
    }),
  )
})

test('every list is in the order of names, whatever the order of workers and hosts', () => {
  fc.assert(
    fc.property(spec, hosts, fc.func(fc.integer()), (wanted, present, shuffle) => {
      const resolved = resolveTargets(wanted, present)
      for (const list of [namesOf(resolved.online), namesOf(resolved.skipped), resolved.unknown])
        expect(list).toEqual(list.toSorted())
      const workers = wanted.workers.toSorted((a, b) => shuffle(a.name) - shuffle(b.name))
      const others = present.toSorted((a, b) => shuffle(a.metadata.name) - shuffle(b.metadata.name))
      expect(resolveTargets({ ...wanted, workers }, others)).toEqual(resolved)
    }),
  )
})

test('the address is the first InternalIP; a host without one is a target, its delivery tells why it fails', () => {
  const { status, ...rest } = hostOf({ name: 'a' })
  const addresses = [
    { type: 'Hostname', address: 'a' },
    { type: 'InternalIP', address: '10.0.0.1' },
    { type: 'InternalIP', address: 'fd00::1' },
  ]
  const addressOf = (list: typeof addresses) =>
    resolveTargets(specOf({}), [{ ...rest, status: { ...status!, addresses: list } }]).online
  expect(addressOf(addresses)).toEqual([{ host: 'a', address: '10.0.0.1' }])
  expect(addressOf([])).toEqual([{ host: 'a', address: undefined }])
})

test('a Host that has no status yet is offline', () => {
  const { status: _, ...young } = hostOf({ name: 'a' })
  expect(resolveTargets(specOf({}), [young])).toEqual({
    ...{ online: [], skipped: [{ host: 'a', reason: 'Offline' }], unknown: [] },
  })
})
