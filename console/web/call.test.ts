import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { addressOf } from './call.ts'

const route = { path: '/api/requests/:namespace/:name' } as const

test('parameters are filled in and the query follows', () => {
  expect(addressOf(route, { namespace: 'default', name: 'a b' }, { check: 'true', left: undefined })).toBe(
    '/api/requests/default/a%20b?check=true',
  )
})

test.each(['', '.', '..', undefined])('%s is no parameter', (name) => {
  expect(() => addressOf(route, { namespace: 'default', name })).toThrow(TypeError)
})

test('a parameter is one segment of the path, whatever is in it', () => {
  const text = fc.string({ minLength: 1, unit: 'grapheme' }).filter((value) => value !== '.' && value !== '..')
  fc.assert(
    fc.property(text, text, (namespace, name) => {
      const { pathname, search, hash } = new URL(addressOf(route, { namespace, name }), 'https://console.example')
      const segments = pathname.split('/')
      expect(segments.slice(0, 3)).toEqual(['', 'api', 'requests'])
      expect(segments.slice(3).map(decodeURIComponent)).toEqual([namespace, name])
      expect(search + hash).toBe('')
    }),
  )
})
