import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { redaction } from './redaction.ts'
import { SecretValue } from './secret-value.ts'

const redacting = (...values: readonly string[]) => redaction(values.map((value) => new SecretValue(value)))

test('what is not there is left as it is', () => {
  expect(redacting('hunter2', '')('{"changed":true,"after":{"a":"hunter"}}')).toBe(
    '{"changed":true,"after":{"a":"hunter"}}',
  )
  expect(redacting()('anything')).toBe('anything')
})

test('it is replaced wherever it stands', () => {
  expect(redacting('hunter2')('hunter2hunter2 and "hunter2"')).toBe('[redacted][redacted] and "[redacted]"')
})

test.each([
  ['JSON', 'a"b\\c', JSON.stringify({ value: 'a"b\\c' })],
  ['JSON within JSON', 'a"b\\c', JSON.stringify({ body: JSON.stringify({ value: 'a"b\\c' }) })],
  ['JSON in ASCII', 'pässwörd', '{"value":"p\\u00e4ssw\\u00f6rd"}'],
  ['JSON for HTML', 'a<b&c', '{"value":"a\\u003cb\\u0026c"}'],
  ['a query', 'a b+c/ü', new URLSearchParams({ value: 'a b+c/ü' }).toString()],
  ['a part of a path', 'a b+c/ü', encodeURIComponent('a b+c/ü')],
  ['base64', 'hunter2!', Buffer.from('hunter2!').toString('base64')],
  ['a list as the kernel writes it', '4096  87380 6291456', 'before 4096\t87380\t6291456\n'],
  ['the same within JSON', '4096 87380 6291456', '{"after":"4096\\t87380\\t6291456"}'],
  ['without the space around it', ' hunter2 ', 'hunter2'],
])('%s', (_, secret, text) => {
  const shown = redacting(secret)(text)
  expect(shown).toContain('[redacted]')
  for (const part of secret.split(/[^\p{L}\d]+/u).filter((word) => word.length > 2)) expect(shown).not.toContain(part)
})

test('of two that overlap nothing is left', () => {
  for (const order of [
    ['abcd', 'cdef'],
    ['cdef', 'abcd'],
  ])
    expect(redacting(...order)('xabcdefy')).toBe('x[redacted]y')
  expect(redacting('aa')('xaaay')).toBe('x[redacted]y')
  expect(redacting('abc', 'b')('xabcy')).toBe('x[redacted]y')
})

test('no text shows a secret between what it showed before, and nothing else is lost', () => {
  // Letters that the mark has not.
  const text = fc.string({ unit: fc.constantFrom('x', 'y', '"', '\\', 'ü', ' '), maxLength: 12 })
  const secrets = fc.array(
    text.filter((secret) => secret.trim() !== ''),
    { minLength: 1, maxLength: 3 },
  )
  fc.assert(
    fc.property(secrets, text, text, (values, before, after) => {
      const redact = redacting(...values)
      for (const value of values) {
        const whole = before + value + after
        for (const said of [whole, JSON.stringify(whole).slice(1, -1)]) {
          const shown = redact(said)
          for (const part of shown.split('[redacted]')) expect(part.includes(value)).toBe(false)
          expect(shown).toContain('[redacted]')
        }
      }
    }),
  )
})
