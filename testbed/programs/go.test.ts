import { expect, test } from 'vitest'
import { isRecentGo } from './go.ts'

test.each([
  ['go1.26.8', true],
  ['go1.26.10', true],
  ['go1.27', true],
  ['go1.31', true],
  ['go2.0', true],
  ['go1.26.7', false],
  ['go1.26rc1', false],
  ['go1.25.9', false],
  ['go1.9', false],
  ['devel go1.27-abc', false],
  ['', false],
])('the machine’s Go %s: recent enough %s', (version, expected) => {
  expect(isRecentGo(version)).toBe(expected)
})
