import { apiVersion, type HostRequest, type HostRequestSpec } from '@keelson/api'
import { expect, test } from 'vitest'
import { specOf, type SpecSketch } from '../testing/objects.ts'
import { suspendedStatus } from './request-status.ts'
import { runIdentityOf, runIdOf } from './run-identity.ts'

const uid = '0b7d7ac4-6a3e-4cf2-8f0e-4d9c1f6a2b11'

type Sketch = { readonly spec?: SpecSketch; readonly generation?: number; readonly status?: HostRequest['status'] }

function requestOf({ spec = {}, generation = 1, status }: Sketch): HostRequest {
  const metadata = { name: 'request', uid, generation }
  return { apiVersion, kind: 'HostRequest', metadata, spec: specOf(spec), ...(status && { status }) }
}

/** The status of a run of that request. */
function statusOf(request: HostRequest): HostRequest['status'] {
  const run = { ...runIdentityOf(request), startTime: '2026-01-02T12:00:00Z', targets: { digest: '' } }
  const { generation = 0 } = request.metadata
  return suspendedStatus({ generation, run, present: undefined, history: [], now: '2026-01-02T12:00:00Z' })
}

const first = requestOf({ spec: { runToken: 'a.B' } })

test('a run is named by the object, the generation that asked for it and the token', () => {
  expect([runIdOf(first), runIdOf(requestOf({ generation: 7 }))]).toEqual([`${uid}-1-a.B`, `${uid}-7`])
})

test.each<[string, SpecSketch]>([
  ['suspend', { suspend: true }],
  ['onFailure', { onFailure: 'Continue' }],
  ['maxFailures', { maxFailures: 3 }],
  ['activeDeadlineSeconds', { activeDeadlineSeconds: 7200 }],
  ['ttlSecondsAfterFinished', { ttlSecondsAfterFinished: 0 }],
])('%s steers the run and begins none', (_, more) => {
  const spec = { ...first.spec, ...more } as HostRequestSpec
  const later: HostRequest = { ...first, metadata: { ...first.metadata, generation: 2 }, spec }
  expect(runIdOf({ ...later, status: statusOf(first)! })).toBe(`${uid}-1-a.B`)
})

test('every other field begins a new one', () => {
  const others: SpecSketch[] = [
    { workers: ['a'] },
    { hostSelector: {} },
    { timeoutSeconds: 11 },
    { parallelism: 65 },
    { retry: { limit: 1 } },
    { waves: [1, '100%'] },
    { onOffline: 'Wait' },
    { onUnknown: 'Resend' },
    { runToken: 'b' },
    { dryRun: true },
    { answers: 'None' },
    ...[{ port: 81 }, { api: '/' }, { method: 'POST' as const }, { targetType: 'Worker' as const }].map((http) => ({
      http,
    })),
    ...[{ scheme: 'https' as const }, { successCodes: ['200'] }].map((http) => ({ http })),
    { http: { parameters: [{ key: 'a', value: 'b' }] } },
  ]
  for (const spec of others) {
    const later = requestOf({ generation: 2, spec: { runToken: 'a.B', ...spec }, status: statusOf(first) })
    expect([spec, runIdOf(later).startsWith(`${uid}-2`)]).toEqual([spec, true])
  }
})

test('a run that was steered twice is still the same, and its spec may come back', () => {
  const suspended = requestOf({ generation: 2, spec: { runToken: 'a.B', suspend: true }, status: statusOf(first) })
  const resumed = requestOf({ generation: 3, spec: { runToken: 'a.B' }, status: statusOf(suspended) })
  expect(runIdOf(resumed)).toBe(runIdOf(first))
})

test('the status of an object that had the name before is none of this one', () => {
  const status = statusOf({ ...first, metadata: { ...first.metadata, uid: 'another' } })
  expect(runIdOf({ ...first, status: status! })).toBe(`${uid}-1-a.B`)
})

test('a version of the API that adds a field, or changes a default, begins no run', () => {
  const status = statusOf(first)
  const spec = { ...first.spec, timeoutSeconds: 99, added: 'x' } as HostRequestSpec
  expect(runIdOf({ ...first, spec, status: status! })).toBe(runIdOf(first))
})

test('a field at its default is as one that is not there, and the order of keys does not matter', () => {
  const written = { ...first.spec, hostSelector: { matchLabels: { a: '1', b: '2' } } }
  const { timeoutSeconds: _, ...older } = written
  const status = statusOf({ ...first, spec: written })
  const reordered = { ...older, suspend: true, hostSelector: { matchLabels: { b: '2', a: '1' } } }
  const metadata = { ...first.metadata, generation: 2 }
  const later = { ...first, metadata, spec: reordered as unknown as HostRequestSpec }
  expect(runIdOf({ ...later, status: status! })).toBe(runIdOf(first))
})
