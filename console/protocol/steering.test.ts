import { HostRequestSpec, type HostRequest } from '@keelson/api'
import { describe, expect, test } from 'vitest'
import { abortPatch, deadlineOf, resumePatch, retrySpec, runAgainPatch } from './steering.ts'

const spec = HostRequestSpec.parse({
  workers: [],
  hostSelector: { matchLabels: { zone: 'a' } },
  http: { port: 7117, api: '/v1/facts', method: 'GET' },
  waves: [1, '100%'],
  activeDeadlineSeconds: 60,
})
const request = { metadata: { name: 'a' }, spec }

/** As the API server would. */
function aborted(): Pick<HostRequest, 'metadata' | 'spec'> {
  const patch = abortPatch(request)
  return {
    metadata: { name: 'a', annotations: patch.metadata!.annotations as Record<string, string> },
    spec: { ...spec, ...patch.spec },
  }
}

function paused(reason: string): Pick<HostRequest, 'status'> {
  const condition = { type: 'Stalled', status: 'True', reason, message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }
  return { status: { state: 'PAUSED', conditions: [condition] } } as unknown as Pick<HostRequest, 'status'>
}

describe('to go on', () => {
  test('also answers what the run waits for', () => {
    expect(resumePatch(paused('WaveFailed')).spec).toEqual({ suspend: false, onFailure: 'Continue' })
    expect(resumePatch(paused('TooManyFailures')).spec).toEqual({
      ...{ suspend: false, onFailure: 'Continue', maxFailures: '100%' },
    })
    expect(resumePatch(paused('PolicyMissing')).spec).toEqual({ suspend: false })
    expect(resumePatch({}).spec).toEqual({ suspend: false })
  })
})

describe('an aborted request', () => {
  test('ends at once, and remembers its deadline, however often it is aborted', () => {
    expect(aborted().spec.activeDeadlineSeconds).toBe(1)
    expect(deadlineOf(aborted())).toBe(60)
    expect(abortPatch(aborted())).toEqual(abortPatch(request))
  })

  test('has its deadline back when it runs again, or is tried again', () => {
    expect(runAgainPatch(aborted(), 'next')).toEqual({
      metadata: { annotations: { 'keelson.dev/deadline-before-abort': null } },
      spec: { runToken: 'next', suspend: false, activeDeadlineSeconds: 60 },
    })
    expect(retrySpec(aborted(), ['b']).activeDeadlineSeconds).toBe(60)
  })

  test('with an annotation that nobody wrote here keeps what it has', () => {
    const metadata = { name: 'a', annotations: { 'keelson.dev/deadline-before-abort': '1e9' } }
    expect(deadlineOf({ metadata, spec })).toBe(60)
  })
})

test('a retry is for these hosts alone, and is sent', () => {
  const former = { ...request, spec: { ...spec, dryRun: true, suspend: true, runToken: 'x' } }
  const { hostSelector: _, ...rest } = spec
  expect(retrySpec(former, ['b', 'a'])).toEqual({ ...rest, workers: [{ name: 'b' }, { name: 'a' }] })
})
