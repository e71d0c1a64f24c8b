import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createAccount, createToken, revokeToken } from '../../protocol/access.ts'
import { createRequest, pauseRequest } from '../../protocol/requests.ts'
import { signOut } from '../../protocol/session.ts'
import { detailOf, detailText, objectOf } from './audit-note.ts'

const none = { params: undefined, query: undefined, body: undefined }

test.each([
  [pauseRequest, { params: { namespace: 'default', name: 'a' }, body: {} }, 'hostrequests/default/a'],
  [createRequest, { body: { namespace: 'default', name: 'a', spec: {} } }, 'hostrequests/default/a'],
  [createAccount, { body: { name: 'eve', password: 'secret' } }, 'accounts/eve'],
  [createToken, { params: { name: 'eve' }, body: { type: 'LongLived' } }, 'accounts/eve'],
  [revokeToken, { params: { name: 'eve', token: 'eve-1' } }, 'accounts/eve/eve-1'],
  [signOut, {}, 'accounts/ada'],
])('%o', (route, input, object) => {
  expect(objectOf(route, 'ada', { ...none, ...input })).toBe(object)
})

test('nothing that was asked is no text', () => {
  expect(detailOf({ ...none, query: {}, body: {} })).toBe('')
})

test('is JSON within its bound, and holds no secret, whatever it is', () => {
  const secret = fc.constantFrom('password', 'Password', 'current', 'next', 'token', 'value', 'kubeconfig', 'secret')
  const withSecret = fc.tuple(fc.jsonValue(), secret, fc.jsonValue()).map(([before, key, after]) => ({
    before,
    list: [{ deep: { [key]: 'TELL-NOBODY' } }],
    after,
  }))
  fc.assert(
    fc.property(withSecret, (body) => {
      const text = detailText({ body })
      expect(text.length).toBeLessThanOrEqual(2_048)
      expect(JSON.parse(text)).toBeTypeOf('object')
      expect(text).not.toContain('TELL-NOBODY')
    }),
  )
})

test('long lists and texts are cut where it is too long', () => {
  const workers = Array.from({ length: 1_024 }, (_, index) => ({ name: `worker-${index}` }))
  expect(JSON.parse(detailText({ body: { workers, note: 'x'.repeat(3_000) } }))).toEqual({
    body: { workers: [...workers.slice(0, 8), '… 1016 more'], note: `${'x'.repeat(64)}…` },
  })
  const wide = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`field-${index}`, index]))
  expect(JSON.parse(detailText(wide))).toEqual({ omitted: expect.stringMatching(/^\d+ characters$/) as string })
})
