import { assert, integer, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { sendingOrder } from './sending-order.ts'

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
