import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { refuseParameters, shellCharacters } from './parameters.ts'

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const digits = '0123456789'

/** The grammar once more, character by character, as docs and people say it. */
function isKey(key: string): boolean {
  const first = letters + digits
  return Array.from(key).every((character, index) => (index === 0 ? first : `${first}._/-`).includes(character))
}

function isPrintable(value: string): boolean {
  return Array.from(value).every((character) => {
    const code = character.codePointAt(0)!
    return code > 0x1f && code !== 0x7f
  })
}

function isText(value: string): boolean {
  const characters = Array.from(value)
  return characters[0] !== '-' && !characters.some((character) => ';&|$<>(){}[]*?!~#`\'"\\'.includes(character))
}

const character = fc.oneof(
  fc.nat(0x9f).map((code) => String.fromCodePoint(code)),
  fc.constantFrom('-', 'a', '.', 'é', '\u2028', '🦀'),
)
const text = fc.string({ unit: character, maxLength: 6 })

test('a value is refused exactly when it leaves the grammar', () => {
  fc.assert(
    fc.property(text, (value) => {
      for (const check of ['Text', 'Typed'] as const) {
        const refusals = refuseParameters([{ key: 'k', value }], check)
        expect(refusals.map(({ field, code }) => `${field} ${code}`)).toEqual([
          ...(isPrintable(value) ? [] : ['spec.http.parameters[0].value ValueRefused']),
          ...(check === 'Typed' || isText(value) ? [] : ['spec.http.parameters ValueRefused']),
        ])
      }
    }),
    { numRuns: 2000 },
  )
})

test('a key is refused exactly when it leaves the grammar', () => {
  fc.assert(
    fc.property(text, (key) => {
      const refusals = refuseParameters([{ key, value: '' }])
      expect(refusals.map(({ field, code }) => `${field} ${code}`)).toEqual(
        isKey(key) ? [] : ['spec.http.parameters[0].key KeyRefused'],
      )
    }),
    { numRuns: 2000 },
  )
})

test('a message shows nothing of a value but the refused character, and nothing that a terminal obeys', () => {
  fc.assert(
    fc.property(text, text, (key, value) => {
      for (const { message } of refuseParameters([{ key, value: `v4lue${value}v4lue` }])) {
        expect(message).not.toContain('v4lue')
        expect(message).toMatch(/^[ -~…]*$/)
      }
    }),
  )
})

test('the refused characters are these', () => {
  expect(shellCharacters.join('')).toBe(';&|$<>(){}[]*?!~#`\'"\\')
})

test('what is said', () => {
  const said = refuseParameters([
    { key: 'ok', value: 'a;b' },
    { key: '-w', value: '' },
    { key: 'a\nb', value: '-x' },
    { key: 'ok', value: 'c\td' },
  ]).map(({ field, message }) => `${field}: ${message}`)
  const key = 'a key is made of letters, digits and . _ / - and begins with a letter or digit'
  const words = 'with check: Text a value has no leading hyphen and none of ; & | $ < > ( ) { } [ ] * ? ! ~ # ` \' " \\'
  expect(said).toEqual([
    `spec.http.parameters[1].key: parameter key "-w" is refused: character U+002D (-); ${key}`,
    `spec.http.parameters[2].key: parameter key "a…" is refused: character U+000A; ${key}`,
    'spec.http.parameters[3].value: value of parameter "ok" is refused: character U+0009; a value has no control character',
    `spec.http.parameters: value of parameter "ok" is refused: character U+003B (;); ${words}`,
    'spec.http.parameters: parameter key "ok" appears more than once',
  ])
})

test('a key like a property of every object is a key', () => {
  expect(refuseParameters([{ key: 'constructor', value: '' }])).toEqual([])
})
