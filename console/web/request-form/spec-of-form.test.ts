import { HostRequestSpec } from '@keelson/api'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { WrittenSpec } from '../kubectl/requests.ts'
import { checkForm } from './check-form.ts'
import { emptyForm, emptyParameter, type RequestForm } from './request-form.ts'
import { formOf, specOf, writtenSpec } from './spec-of-form.ts'

const sysctl: RequestForm = {
  ...emptyForm,
  name: 'forwarding',
  names: ['worker-1', 'worker-2'],
  api: '/v1/sysctl',
  method: 'POST',
  parameters: [{ ...emptyParameter, key: 'net.ipv4.ip_forward', value: '1' }],
}

describe('the spec of a form', () => {
  test('says what was asked for and nothing that is a default', () => {
    expect(specOf(sysctl)).toEqual({
      workers: [{ name: 'worker-1' }, { name: 'worker-2' }],
      http: {
        port: 7117,
        api: '/v1/sysctl',
        method: 'POST',
        parameters: [{ key: 'net.ipv4.ip_forward', value: '1' }],
      },
    })
    const spelledOut = { ...sysctl, timeoutSeconds: '10', waves: '100%', successCodes: ' 2xx', retryLimit: '0' }
    expect(specOf(spelledOut)).toEqual(specOf(sysctl))
  })

  test.each<[string, Partial<RequestForm>]>([
    ['no host is chosen', { names: [] }],
    ['no label is given', { who: 'Labels', selector: ' ' }],
    ['a label cannot be read', { who: 'Labels', selector: 'zone in' }],
    ['a label that narrows cannot be read', { selector: 'zone=a,' }],
  ])('is none where %s, since it would be for every host', (_, change) => {
    expect(specOf({ ...sysctl, ...change })).toBeUndefined()
    expect(checkForm({ ...sysctl, ...change })).not.toEqual([])
  })

  test('is for every host only where that was chosen, and a selector left over from another choice is not in it', () => {
    expect(specOf({ ...sysctl, who: 'Every', selector: 'zone=a' })).toMatchObject({ workers: [] })
    expect(specOf({ ...sysctl, who: 'Every', selector: 'zone=a' })).not.toHaveProperty('hostSelector')
    expect(specOf({ ...sysctl, who: 'Labels', selector: 'zone=a' })).toMatchObject({
      workers: [],
      hostSelector: { matchLabels: { zone: 'a' } },
    })
  })

  const amount = fc.oneof(
    fc.integer({ min: 1, max: 1024 }),
    fc.integer({ min: 1, max: 100 }).map((n) => `${n}%`),
  )
  const hosts = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,3}$/), { maxLength: 4 })
  const parameter = fc
    .tuple(fc.stringMatching(/^[a-z][a-z0-9._/-]{0,6}$/), fc.stringMatching(/^[a-z0-9 .,:=-]{0,8}$/), fc.boolean())
    .map(([key, text, secret]) => ({
      key,
      ...(secret ? { valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } } : { value: text.replace(/^-+/, '') }),
    }))
  const written: fc.Arbitrary<WrittenSpec> = fc.record(
    {
      workers: hosts.map((names) => names.map((name) => ({ name }))),
      hostSelector: fc.constant({ matchLabels: { zone: 'a' } }),
      http: fc.record(
        {
          port: fc.constant(7117),
          api: fc.constantFrom('/v1/sysctl', '/a/b'),
          method: fc.constantFrom('GET', 'PUT', 'DELETE'),
          targetType: fc.constantFrom('All', 'Worker', 'ControlPlane'),
          parameters: fc.uniqueArray(parameter, { selector: ({ key }) => key, maxLength: 4 }),
          check: fc.constantFrom('Text', 'Typed'),
          successCodes: fc.array(fc.constantFrom('2xx', '404'), { minLength: 1, maxLength: 3 }),
        },
        { requiredKeys: ['port', 'api', 'method'] },
      ),
      timeoutSeconds: fc.integer({ min: 1, max: 3600 }),
      activeDeadlineSeconds: fc.integer({ min: 2, max: 604_800 }),
      parallelism: amount,
      retry: fc.record({ limit: fc.integer({ min: 0, max: 10 }) }),
      waves: fc.array(amount, { minLength: 1, maxLength: 4 }),
      maxFailures: fc.oneof(fc.constant(0), amount),
      onFailure: fc.constantFrom('Stop', 'Pause', 'Continue'),
      onOffline: fc.constantFrom('Skip', 'Wait', 'Try'),
      onUnknown: fc.constantFrom('Fail', 'Resend'),
      answers: fc.constantFrom('Sample', 'None'),
      ttlSecondsAfterFinished: fc.integer({ min: 0, max: 1000 }),
    },
    { requiredKeys: ['workers', 'http'] },
  )

  test('means the same as the spec that the form was made from', () => {
    fc.assert(
      fc.property(written, (spec) => {
        const stored = HostRequestSpec.parse(spec)
        const form = formOf(stored, { namespace: 'default', name: 'copy' })
        const again = specOf(form)
        expect(HostRequestSpec.parse(again)).toEqual(stored)
        expect(checkForm({ ...form, api: '/free' })).toEqual([])
      }),
    )
  })

  test('is written without its defaults, and says the same', () => {
    const steering = fc.record({
      activeDeadlineSeconds: fc.constantFrom(1, 60, 3600),
      dryRun: fc.boolean(),
      suspend: fc.boolean(),
      runToken: fc.constantFrom('', 'a'),
    })
    fc.assert(
      fc.property(written, steering, (spec, steered) => {
        const stored = HostRequestSpec.parse({ ...spec, ...steered })
        expect(HostRequestSpec.parse(writtenSpec(stored))).toEqual(stored)
      }),
    )
    expect(writtenSpec(HostRequestSpec.parse(specOf(sysctl)))).toEqual(specOf(sysctl))
  })
})
