import { HostRequestStatus, type HostRequestSpec } from '@keelson/api'
import { describe, expect, test } from 'vitest'
import { hostOf, specOf } from '../testing/objects.ts'
import { interruptedVerdict, planOf } from './begin.ts'
import { statusOf } from './request-status.ts'

const context = {
  ...{ generation: 1, present: undefined, now: new Date('2026-01-02T12:00:00Z') },
  run: { id: 'uid-1', startTime: '2026-01-02T12:00:00Z' },
}
const hosts = [
  hostOf({ name: 'control', role: 'ControlPlane' }),
  hostOf({ name: 'worker-1' }),
  hostOf({ name: 'worker-2', online: false }),
]

const refusalOf = (spec: unknown) => planOf(spec, hosts).refused

describe('nothing is sent', () => {
  test('to unknown names: every one of them is named, once and in order', () => {
    expect(refusalOf(specOf({ workers: ['worker-1', 'wroker-2', 'nobody', 'nobody'] }))).toMatchObject({
      ...{ state: 'ERROR', reason: 'UnknownWorkers', msg: 'no such host: nobody, wroker-2; nothing was sent' },
      counts: { targets: 0, succeeded: 0, failed: 0, unknown: 0, skipped: 0 },
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
    expect(planOf(specOf({}), []).refused).toMatchObject({ reason: 'NoTargets', counts: { targets: 0 } })
  })

  test('where whoever is meant is offline or of another role: named', () => {
    expect(refusalOf(specOf({ workers: ['worker-2', 'control'], http: { targetType: 'Worker' } }))).toMatchObject({
      ...{ state: 'ERROR', reason: 'NoTargets' },
      msg: 'no host to send to: skipped: control (not targeted); skipped: worker-2 (offline); nothing was sent',
      counts: { targets: 2, skipped: 2 },
    })
  })

  test('that an older CRD let pass: the field is named, the value is not', () => {
    const spec = specOf({ workers: ['worker-1'], http: { parameters: [{ key: 'k', value: 's3cret;reboot' }] } })
    const refused = refusalOf(spec)
    expect(refused?.reason).toBe('SpecRefused')
    expect(refused?.msg).toMatch(/^spec\.http\.parameters\[0\]\.value: .*U\+003B.*; nothing was sent$/)
    expect(refused?.msg).not.toContain('s3cret')
    const { workers: _, ...rest } = specOf({})
    expect(refusalOf(rest)).toMatchObject({ reason: 'SpecRefused', msg: expect.stringContaining('spec.workers: ') })
    expect(refusalOf(undefined)).toMatchObject({ reason: 'SpecRefused' })
    const status = statusOf(refused!, context)
    expect(HostRequestStatus.parse(status)).toEqual(status)
  })
})

test('an older CRD without our defaults: they are filled in', () => {
  const bare = { workers: [], http: { port: 8080, api: '/x', method: 'GET' } }
  const { spec } = planOf(bare, hosts) as { spec: HostRequestSpec }
  expect(spec).toMatchObject({ timeoutSeconds: 10, parallelism: 64, http: { parameters: [], successCodes: ['2xx'] } })
})

test('offline hosts and hosts of another role are left out, and the rest gets it', () => {
  const { targets } = planOf(specOf({ http: { targetType: 'Worker' } }), hosts) as { targets: object }
  expect(targets).toEqual({
    ...{ online: [{ host: 'worker-1', address: '10.0.0.1' }], unknown: [] },
    skipped: [{ host: 'worker-2', reason: 'Offline' }],
  })
})

test('after an interruption everybody without an outcome is unknown; failures that are known stay', () => {
  const failures = [{ host: 'a', reason: 'HTTPStatus', code: 500, message: 'HTTP 500' }]
  const counts = { targets: 10, succeeded: 3, failed: 1, unknown: 1, skipped: 2 }
  const status: HostRequestStatus = {
    ...statusOf({ state: 'RUNNING', reason: 'Running', msg: '', counts, failures }, context),
  }
  expect(interruptedVerdict(status)).toEqual({
    ...{ state: 'ERROR', reason: 'Interrupted', failures },
    msg: 'the operator ended during the run: 4 hosts may or may not have got the request, it is not sent again; change the spec to run anew',
    counts: { targets: 10, succeeded: 3, failed: 1, unknown: 4, skipped: 2 },
  })
})
