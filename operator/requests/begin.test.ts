import type { HostRequestSpec } from '@keelson/api'
import { describe, expect, test } from 'vitest'
import { hostOf, specOf } from '../testing/objects.ts'
import { planOf } from './begin.ts'

const hosts = [
  hostOf({ name: 'control', role: 'ControlPlane' }),
  hostOf({ name: 'worker-1' }),
  hostOf({ name: 'worker-2', online: false }),
]

const refusalOf = (spec: unknown) => planOf(spec, hosts).refused

describe('nothing is sent', () => {
  test('to unknown names: every one of them is named, once and in order', () => {
    expect(refusalOf(specOf({ workers: ['worker-1', 'wroker-2', 'nobody', 'nobody'] }))).toEqual({
      ...{ reason: 'UnknownWorkers', msg: 'no such host: nobody, wroker-2; nothing was sent' },
    })
  })

  test('and that nothing was sent is said even if there are too many to name', () => {
    const workers = Array.from({ length: 1_024 }, (_, index) => `n${index}`)
    expect(refusalOf(specOf({ workers }))?.msg).toMatch(/^no such host: n0, n1, .* and 1004 more; nothing was sent$/)
  })

  test('where no host is meant', () => {
    expect(refusalOf(specOf({ hostSelector: { matchLabels: { zone: 'x' } } }))).toMatchObject({
      reason: 'NoTargets',
      msg: 'no host is meant by workers, hostSelector and targetType; nothing was sent',
    })
    expect(planOf(specOf({}), []).refused).toMatchObject({ reason: 'NoTargets' })
  })

  test('that an older CRD let pass: the field is named, the value is not', () => {
    const spec = specOf({ workers: ['worker-1'], http: { parameters: [{ key: 'k', value: 's3cret;reboot' }] } })
    const refused = refusalOf(spec)
    expect(refused?.reason).toBe('SpecRefused')
    expect(refused?.msg).toMatch(/^spec\.http\.parameters: .*U\+003B.*; nothing was sent$/)
    expect(refused?.msg).not.toContain('s3cret')
    const { workers: _, ...rest } = specOf({})
    expect(refusalOf(rest)).toMatchObject({ reason: 'SpecRefused', msg: expect.stringContaining('spec.workers: ') })
    expect(refusalOf(undefined)).toMatchObject({ reason: 'SpecRefused' })
  })
})

test('an older CRD without our defaults: they are filled in', () => {
  const bare = { workers: [], http: { port: 8080, api: '/x', method: 'GET' } }
  const { spec } = planOf(bare, hosts) as { spec: HostRequestSpec }
  expect(spec).toMatchObject({ timeoutSeconds: 10, parallelism: 64, http: { parameters: [], successCodes: ['2xx'] } })
})

test('hosts of another role are left out; those that are offline are not, for they may be back by their turn', () => {
  const { targets } = planOf(specOf({ http: { targetType: 'Worker' } }), hosts) as { targets: object }
  expect(targets).toEqual({ names: ['worker-1', 'worker-2'], notTargeted: [], unknown: [] })
})

test('who is named and of another role is a target that is told', () => {
  const wanted = specOf({ workers: ['worker-2', 'control'], http: { targetType: 'Worker' } })
  expect(planOf(wanted, hosts)).toMatchObject({
    targets: { names: ['control', 'worker-2'], notTargeted: ['control'], unknown: [] },
  })
})
