import { array, assert, integer, oneof, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { amountOf } from './amount.ts'
import { sendingOrder, waveEnds } from './wave-plan.ts'

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

test('the order holds every target once and depends on the run alone', () => {
  assert(
    property(integer({ min: 1, max: 300 }), string(), (targets, run) => {
      const order = sendingOrder(targets, [1, '100%'], run)
      expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: targets }, (_, index) => index))
      expect(sendingOrder(targets, [1, '100%'], run)).toEqual(order)
    }),
  )
  expect(sendingOrder(4, ['100%'], 'a')).toEqual([0, 1, 2, 3])
  expect(sendingOrder(50, [1, '100%'], 'a')).not.toEqual(sendingOrder(50, [1, '100%'], 'b'))
})

test('percentages are rounded up', () => {
  expect([amountOf('1%', 5), amountOf('10%', 25), amountOf('100%', 7), amountOf(9, 5)]).toEqual([1, 3, 7, 9])
})
