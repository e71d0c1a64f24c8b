import { expect, test } from 'vitest'
import { amountOf } from './amount.ts'

test.each([
  [64, 10, 64],
  [0, 10, 0],
  ['100%', 10, 10],
  ['1%', 500, 5],
  ['1%', 501, 6],
  ['1%', 3, 1],
  ['50%', 3, 2],
  ['10%', 0, 0],
])('%j of %d targets is %d', (amount, total, expected) => {
  expect(amountOf(amount, total)).toBe(expected)
})
