import { expect, test } from 'vitest'
import { tokenOf } from './token.ts'

test.each([
  ['#q3Zx_9-A', 'q3Zx_9-A'],
  ['#', ''],
  ['', ''],
  // A link that was cut apart or written to: no token of ours.
  ['#a b', ''],
  ['#<script>', ''],
])('the token in %s is %s', (hash, expected) => {
  expect(tokenOf(hash)).toBe(expected)
})
