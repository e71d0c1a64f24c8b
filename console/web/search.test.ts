import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { listOf, oneOf, parseSearch, someOf, stringifySearch, textOf } from './search.ts'

test('a key that is there twice has both values', () => {
  expect(parseSearch('?state=Offline&state=NotReady&q=web')).toEqual({ state: ['Offline', 'NotReady'], q: 'web' })
})

test('what is empty does not stand in the address', () => {
  expect(stringifySearch({ q: '', state: [], role: undefined })).toBe('')
  expect(stringifySearch({ q: 'a b', state: ['Offline', 'NotReady'] })).toBe('?q=a+b&state=Offline&state=NotReady')
})

test('what is written is read again', () => {
  const text = fc.string({ minLength: 1, unit: 'grapheme' })
  fc.assert(
    fc.property(fc.dictionary(text, fc.uniqueArray(text, { minLength: 1, maxLength: 3 })), (search) => {
      const read = parseSearch(stringifySearch(search))
      expect(Object.fromEntries(Object.keys(search).map((key) => [key, listOf(read[key])]))).toEqual({ ...search })
    }),
  )
})

test('nothing in an address is trusted', () => {
  expect(parseSearch('?__proto__=x&constructor=y')).toEqual(
    Object.fromEntries([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]),
  )
  expect(oneOf('Nowhere', ['Worker'])).toBeUndefined()
  expect(oneOf(['Worker', 'x'], ['Worker'])).toBe('Worker')
  expect(someOf(['a', 'x', 'a'], ['a', 'b'])).toEqual(['a'])
  expect(textOf(undefined)).toBe('')
})
