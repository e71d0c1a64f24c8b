import { HostRequestSpec, type HostRequest } from '@keelson/api'
import { describe, expect, test } from 'vitest'
import { abortPatch, resumePatch, retrySpec, runAgainPatch } from './steering.ts'

const spec = HostRequestSpec.parse({
  workers: [],
  hostSelector: { matchLabels: { zone: 'a' } },
  http: { port: 7117, api: '/v1/facts', method: 'GET' },
  waves: [1, '100%'],
})

function paused(reason: string): Pick<HostRequest, 'status'> {
  const condition = { type: 'Stalled', status: 'True', reason, message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }
  return { status: { state: 'PAUSED', conditions: [condition] } } as unknown as Pick<HostRequest, 'status'>
}

describe('to go on', () => {
  test('also answers what the run waits for', () => {
    expect(resumePatch(paused('WaveFailed'))).toEqual({ suspend: false, onFailure: 'Continue' })
    expect(resumePatch(paused('TooManyFailures'))).toEqual({ suspend: false, maxFailures: '100%' })
    expect(resumePatch(paused('Suspended'))).toEqual({ suspend: false })
    expect(resumePatch({})).toEqual({ suspend: false })
  })
})

describe('to run again', () => {
  test('changes the token alone', () => {
    expect(runAgainPatch(spec, 'next')).toEqual({ runToken: 'next' })
  })

  test('takes back what ended or held up the run before', () => {
    const aborted = { ...spec, suspend: true, ...abortPatch } as HostRequestSpec
    expect(runAgainPatch({ ...aborted, suspend: true }, 'next')).toEqual({
      runToken: 'next',
      suspend: false,
      activeDeadlineSeconds: null,
    })
  })
})

test('a retry is for these hosts alone, is not aborted with the run before, and is sent', () => {
  const former = { ...spec, activeDeadlineSeconds: 1, dryRun: true, suspend: true, runToken: 'x' }
  expect(retrySpec(former, ['b', 'a'])).toEqual({
    ...HostRequestSpec.parse({ workers: [], http: spec.http, waves: spec.waves }),
    workers: [{ name: 'b' }, { name: 'a' }],
  })
})
