import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { UsedCredentials } from './used-credentials.ts'

test('each credential is good for one request, however often that asks', () => {
  const claim = fc.record({
    uid: fc.constantFrom('r1', 'r2', 'r3'),
    credentials: fc.uniqueArray(fc.constantFrom('k1', 'k2', 't1', 't2'), { minLength: 1, maxLength: 2 }),
  })
  fc.assert(
    fc.property(fc.array(claim), (claims) => {
      const used = new UsedCredentials()
      const owners = new Map<string, string>()
      for (const { uid, credentials } of claims) {
        const free = credentials.every((credential) => (owners.get(credential) ?? uid) === uid)
        expect(used.claim(uid, credentials)).toBe(free)
        if (free) for (const credential of credentials) owners.set(credential, uid)
      }
    }),
  )
})

test('of more than the limit the oldest are forgotten', () => {
  const used = new UsedCredentials(2)
  for (const credential of ['a', 'b', 'c']) used.claim('first', [credential])
  expect(['c', 'b', 'a'].map((credential) => used.claim('second', [credential]))).toEqual([false, false, true])
})
