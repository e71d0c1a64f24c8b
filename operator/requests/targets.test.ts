import type { Host, HostRequestSpec } from '@keelson/api'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { hostOf, specOf } from '../testing/objects.ts'
import { isOnline, resolveTargets } from './targets.ts'

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

test('every named host is a target or unknown, exactly once', () => {
  fc.assert(
    fc.property(spec, hosts, (wanted, present) => {
      const { names: targets, unknown } = resolveTargets(wanted, present)
      const named = [...new Set(wanted.workers.map(({ name }) => name))]
      fc.pre(named.length > 0)
      expect([...targets, ...unknown].toSorted()).toEqual(named.toSorted())
      expect(unknown).toEqual(
        named.filter((name) => !present.some(({ metadata }) => metadata.name === name)).toSorted(),
      )
    }),
  )
})

test('who is chosen is a target, online or not; who is not chosen is told only if named', () => {
  fc.assert(
    fc.property(spec, hosts, (wanted, present) => {
      const { names: targets, notTargeted } = resolveTargets(wanted, present)
      const everyone = wanted.workers.length === 0
      for (const { metadata, status } of present) {
        const { name } = metadata
        const meant = everyone || wanted.workers.some((worker) => worker.name === name)
        const chosen =
          (wanted.http.targetType === 'All' || wanted.http.targetType === status?.role) &&
          (wanted.hostSelector?.matchLabels === undefined || metadata.labels?.['zone'] === 'a')
        expect(targets.includes(name)).toBe(meant && (chosen || !everyone))
        expect(notTargeted.includes(name)).toBe(meant && !chosen && !everyone)
      }
    }),
  )
})

test('every list is in the order of names, whatever the order of workers and hosts', () => {
  fc.assert(
    fc.property(spec, hosts, fc.func(fc.integer()), (wanted, present, shuffle) => {
      const resolved = resolveTargets(wanted, present)
      for (const list of [resolved.names, resolved.notTargeted, resolved.unknown])
        expect(list).toEqual([...new Set(list)].toSorted())
      const workers = wanted.workers.toSorted((a, b) => shuffle(a.name) - shuffle(b.name))
      const others = present.toSorted((a, b) => shuffle(a.metadata.name) - shuffle(b.metadata.name))
      expect(resolveTargets({ ...wanted, workers }, others)).toEqual(resolved)
    }),
  )
})

test('online is what the Host says of its Node; a Host that has no status yet is offline, and a target', () => {
  expect([hostOf({ name: 'a' }), hostOf({ name: 'a', online: false })].map(isOnline)).toEqual([true, false])
  const { status: _, ...young } = hostOf({ name: 'a' })
  expect(isOnline(young)).toBe(false)
  expect(resolveTargets(specOf({}), [young])).toEqual({ names: ['a'], notTargeted: [], unknown: [] })
})
