import { expect, test } from 'vitest'
import { parseSuccessCodes } from './success-codes.ts'

test('a class holds its hundred codes, a code itself', () => {
  const isSuccess = parseSuccessCodes(['2xx', '404'])
  expect([200, 204, 299, 404].filter(isSuccess)).toEqual([200, 204, 299, 404])
  expect([199, 300, 403, 405, 500].filter(isSuccess)).toEqual([])
})

test('what is no code matches nothing', () => {
  const isSuccess = parseSuccessCodes(['', 'xx', '2x', '2XX', '*'])
  expect([2, 20, 200, 500].filter(isSuccess)).toEqual([])
})
