import { array, assert, integer, oneof, property } from 'fast-check'
import { expect, test } from 'vitest'
import { waveEnds } from './wave-plan.ts'

const amount = oneof(
  integer({ min: 1, max: 6_000 }),
  integer({ min: 1, max: 100 }).map((percent) => `${percent}%`),
)

test('waves rise, reach somebody each, and end with everybody', () => {
  assert(
    property(integer({ min: 1, max: 5_000 }), array(amount, { maxLength: 6 }), (targets, waves) => {
      const ends = waveEnds(targets, waves)
      expect(ends.at(-1)).toBe(targets)
      for (const [index, end] of ends.entries()) expect(end).toBeGreaterThan(ends[index - 1] ?? 0)
    }),
  )
  expect(waveEnds(200, [1, '5%', '100%'])).toEqual([1, 10, 200])
  expect(waveEnds(3, ['1%', '50%'])).toEqual([1, 2, 3])
  expect(waveEnds(5, [])).toEqual([5])
})
