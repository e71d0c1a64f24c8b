import { expect, test } from 'vitest'
import { newPasswordError } from './new-password.ts'

test.each([
  ['short', 'short', 'tooShort'],
  ['twelve chars', 'twelve chars', undefined],
  ['twelve chars', 'twelve char', 'differs'],
  // Eleven characters of two code units each are not twelve characters.
  ['😀'.repeat(11), '😀'.repeat(11), 'tooShort'],
])('%s and %s: %s', (password, repeat, expected) => {
  expect(newPasswordError(password, repeat)).toBe(expected)
})
