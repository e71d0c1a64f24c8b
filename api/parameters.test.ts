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

function isValue(value: string): boolean {
  const characters = Array.from(value)
  return (
    characters[0] !== '-' &&
    characters.every((character) => {
      const code = character.codePointAt(0)!
      return code > 0x1f && code !== 0x7f && !';&|$<>(){}[]*?!~#`\'"\\'.includes(character)
    })
  )
}

const character = fc.oneof(
  fc.nat(0x9f).map((code) => String.fromCodePoint(code)),
  fc.constantFrom('-', 'a', '.', 'é', '\u2028', '🦀'),
)
const text = fc.string({ unit: character, maxLength: 6 })

test('a value is refused exactly when it leaves the grammar', () => {
  fc.assert(
    fc.property(text, (value) => {
      const refusals = refuseParameters([{ key: 'k', value }])
      expect(refusals.map(({ field, code }) => `${field} ${code}`)).toEqual(
        isValue(value) ? [] : ['spec.http.parameters[0].value ValueRefused'],
      )
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
    { key: 'ok', value: '' },
  ]).map(({ field, message }) => `${field}: ${message}`)
  const key = 'a key is made of letters, digits and . _ / - and begins with a letter or digit'
  const value =
    'a value has no control character, no leading hyphen and none of ; & | $ < > ( ) { } [ ] * ? ! ~ # ` \' " \\'
  expect(said).toEqual([
    `spec.http.parameters[0].value: value of parameter "ok" is refused: character U+003B (;); ${value}`,
    `spec.http.parameters[1].key: parameter key "-w" is refused: character U+002D (-); ${key}`,
    `spec.http.parameters[2].key: parameter key "a…" is refused: character U+000A; ${key}`,
    `spec.http.parameters[2].value: value of parameter "a…" is refused: character U+002D (-); ${value}`,
    'spec.http.parameters: parameter key "ok" appears more than once',
  ])
})

test('a key like a property of every object is a key', () => {
  expect(refuseParameters([{ key: 'constructor', value: '' }])).toEqual([])
})
