import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Subdomain } from '../../protocol/names.ts'
import { emptyForm, emptyParameter } from './request-form.ts'
import { newRunToken, retryName, suggestedName } from './suggested-name.ts'

const zero = () => 0

describe('a suggested name', () => {
  test('says what is done', () => {
    const set = {
      ...emptyForm,
      api: '/v1/sysctl',
      method: 'POST' as const,
      parameters: [{ ...emptyParameter, key: 'net.ipv4.ip_forward', value: '1' }],
    }
    expect(suggestedName(set, zero)).toBe('set-sysctl-net-ipv4-ip-forward-bbbb')
    expect(suggestedName({ ...emptyForm, api: '/v1/facts' }, zero)).toBe('get-facts-bbbb')
    expect(suggestedName({ ...emptyForm, port: '80', api: '/a/b', method: 'PUT' }, zero)).toBe('put-a-b-bbbb')
    expect(retryName('a', zero)).toBe('a-retry-bbbb')
    expect(retryName('a-retry-bbbb', () => 0.99)).toBe('a-retry-9999')
  })

  test('is one that Kubernetes takes, whatever is in the form', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    const subdomain = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,240}[a-z0-9])?([.][a-z0-9]{1,5}){0,2}$/)
    fc.assert(
      fc.property(fc.string(), fc.string(), subdomain, random, (api, value, name, number) => {
        const form = { ...emptyForm, api, parameters: [{ ...emptyParameter, key: 'key', value }] }
        for (const made of [suggestedName(form, () => number), retryName(name, () => number)])
          expect(Subdomain.parse(made)).toBe(made)
        expect(newRunToken(() => number)).toMatch(/^[a-z0-9]{8}$/)
      }),
    )
  })
})
