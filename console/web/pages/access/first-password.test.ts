import { expect, test } from 'vitest'
import { checkPassword } from '../../../server/model/password-rules.ts'
import { firstPassword } from './first-password.ts'

test('is taken by the server, and another one each time', () => {
  const made = Array.from({ length: 50 }, () => firstPassword((bytes) => crypto.getRandomValues(bytes)))
  expect(new Set(made).size).toBe(50)
  for (const password of made) {
    expect(password).toMatch(/^[a-z2-9+]{5}(-[a-z2-9+]{5}){3}$/)
    expect(() => checkPassword(password, 'ann')).not.toThrow()
  }
})

test('every letter comes up as often as every other', () => {
  const counts = new Map<string, number>()
  for (let start = 0; start < 256; start += 20) {
    const password = firstPassword((bytes) => bytes.set(bytes.map((_, index) => (start + index) % 256)))
    for (const letter of password.replaceAll('-', '').slice(0, 256 - start))
      counts.set(letter, (counts.get(letter) ?? 0) + 1)
  }
  expect([...counts.values()]).toEqual(Array.from({ length: 32 }, () => 8))
})
