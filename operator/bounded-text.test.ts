import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { boundedText } from './bounded-text.ts'

const character = fc.oneof(
  fc.constantFrom(
    'a',
    ' ',
    '"',
    '\\',
    'é',
    '机',
    '点',
    '🦀',
    '\n',
    '\0',
    '\u001b',
    '\u007f',
    '\u0085',
    '\u2028',
    '\u202e',
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  // Halves of surrogate pairs, as JSON can bear them.
  fc.constantFrom('\ud800', '\udc00'),
)
const text = fc.string({ unit: character, maxLength: 300 })
const bytes = (of: string) => Buffer.byteLength(JSON.stringify(of)) - 2

test('it is within the limit in bytes, so in characters too, and shows nothing that a terminal obeys', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 3, max: 300 }), (given, limit) => {
      const bounded = boundedText(given, limit)
      expect(bytes(bounded)).toBeLessThanOrEqual(limit)
      expect(bounded).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u)
      expect(bounded.isWellFormed()).toBe(true)
    }),
    { numRuns: 1_000 },
  )
})

const whole = (given: string) => boundedText(given, Number.MAX_SAFE_INTEGER)

test('what fits is shown whole', () => {
  fc.assert(
    fc.property(text, fc.nat(9), (given, spare) => {
      expect(boundedText(given, Math.max(3, bytes(whole(given)) + spare))).toBe(whole(given))
    }),
  )
})

test('what is cut is filled up to the last character that has room', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 3, max: 300 }), (given, limit) => {
      fc.pre(bytes(whole(given)) > limit)
      const bounded = boundedText(given, limit)
      const kept = bounded.slice(0, -1)
      expect(bounded.at(-1)).toBe('…')
      expect(whole(given).startsWith(kept)).toBe(true)
      const next = String.fromCodePoint(whole(given).codePointAt(kept.length)!)
      expect(bytes(`${kept}${next}…`)).toBeGreaterThan(limit)
    }),
    { numRuns: 500 },
  )
})

test.each([
  ['', 3, ''],
  ['abc', 3, 'abc'],
  ['abcd', 3, '…'],
  ['abcdefg', 6, 'abc…'],
  ['机机', 6, '机机'],
  ['"""', 6, '"""'],
  ['"""', 5, '"…'],
  ['机机机', 8, '机…'],
  ['  HTTP 500\r\n\r\n', 99, 'HTTP 500'],
  ['red \u001b[31m line\nnext', 99, 'red  [31m line next'],
  ['half \ud83e', 99, 'half \ufffd'],
])('%j within %d bytes is %j', (given, limit, bounded) => {
  expect(boundedText(given, limit)).toBe(bounded)
})
