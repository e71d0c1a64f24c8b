import { createPrivateKey } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { describeRequest, fingerprintOf, makeKey, makeRequest, requestName } from './host-key.ts'

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
const host = fc
  .array(label, { minLength: 1, maxLength: 6 })
  .map((labels) => labels.join('.'))
  .filter((name) => name.length <= 253)

test('a key is a fresh one on P-256', () => {
  const key = makeKey()
  expect(createPrivateKey(key).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
  expect(fingerprintOf(key)).toMatch(/^[0-9a-f]{64}$/)
  expect(makeKey()).not.toBe(key)
})

test('a request says host and key, however long the name', async () => {
  const key = makeKey()
  await fc.assert(
    fc.asyncProperty(host, async (name) => {
      const pem = await makeRequest(name, key)
      expect(describeRequest(pem)).toEqual({ host: name, keyFingerprint: fingerprintOf(key) })
    }),
  )
  expect(describeRequest('what is no request')).toBeUndefined()
})

test('the name of a request is one that Kubernetes takes, and tells hosts and keys apart', () => {
  const fingerprint = fc.stringMatching(/^[0-9a-f]{64}$/)
  fc.assert(
    fc.property(host, fingerprint, fingerprint, (name, one, other) => {
      expect(requestName(name, one)).toMatch(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/)
      expect(requestName(name, one)).toBe(requestName(name, one))
      expect(requestName(name, one) === requestName(name, other)).toBe(one === other)
      expect(requestName(`x${name}`.slice(0, 253), one)).not.toBe(requestName(name, one))
    }),
  )
})
