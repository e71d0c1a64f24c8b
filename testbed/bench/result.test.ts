import { array, assert, double, integer, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { median, quantile, result, table } from './result.ts'

test.each([
  [[3, 1, 2], 2],
  [[4, 1, 3, 2], 2],
  [[7], 7],
])('the median of %j is %d', (values, expected) => {
  expect(median(values)).toBe(expected)
})

test('there is none of nothing', () => {
  expect(() => median([])).toThrow(RangeError)
})

test('a quantile is one of the values, and at least that share of them is not above it', () => {
  const fraction = double({ min: 0, max: 1, noNaN: true })
  assert(
    property(array(integer(), { minLength: 1 }), fraction, (values, share) => {
      const found = quantile(values, share)
      expect(values).toContain(found)
      const below = values.filter((value) => value <= found).length
      expect(below / values.length).toBeGreaterThanOrEqual(share - 1e-9)
    }),
  )
})

describe('a limit', () => {
  test.each([
    [1.2, true],
    [1.5, true],
    [1.504, true],
    [1.51, false],
  ])('of 1.5 for %d: %s, judged as printed', (value, holds) => {
    expect(result('warm', value, '×', { limit: 1.5 })).toMatchObject({ limit: 1.5, holds })
  })

  test('that there is not is not judged', () => {
    expect(result('p50', 12.345, 'ms')).toEqual({
      ...{ name: 'p50', value: 12.3, unit: 'ms', limit: null, holds: null, peer: null },
    })
  })
})

test('the table has a row a result, and what does not hold is plain to see', () => {
  const rows = table([result('warm', 1.7, '×', { limit: 1.5, peer: 'bare loop' }), result('p50', 12, 'ms')]).split('\n')
  expect(rows).toEqual(['warm  1.7 ×  ≤ 1.5  DOES NOT HOLD  bare loop', 'p50   12 ms'])
})
