import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { activeAfter, selectionAfter } from './grid-keys.ts'

const keys = ['ArrowDown', 'ArrowUp', 'ArrowRight', 'ArrowLeft', 'PageDown', 'PageUp', 'Home', 'End']

test.each([
  ['ArrowDown', 3, 1, 4],
  ['ArrowDown', 9, 1, 9],
  ['ArrowDown', 8, 4, 8],
  ['ArrowUp', 5, 4, 1],
  ['ArrowUp', 2, 4, 2],
  ['ArrowRight', 5, 4, 6],
  ['PageDown', 0, 1, 4],
  ['PageUp', 9, 1, 5],
  ['Home', 7, 1, 0],
  ['End', 7, 1, 9],
])('%s from %d in %d columns leads to %d', (key, active, columns, expected) => {
  expect(activeAfter(key, active, 10, 5, columns)).toBe(expected)
})

test('letters, and sideways in a list, are none of the grid’s keys', () => {
  expect(activeAfter('a', 0, 10, 5)).toBeUndefined()
  expect(activeAfter('ArrowLeft', 0, 10, 5)).toBeUndefined()
  expect(activeAfter('ArrowDown', -1, 0, 5)).toBeUndefined()
})

test('no key leads out of the grid', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...keys),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: -1, max: 49 }),
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 1, max: 9 }),
      (key, count, active, page, columns) => {
        const next = activeAfter(key, Math.min(active, count - 1), count, page, columns)
        if (next === undefined) return
        expect(next).toBeGreaterThanOrEqual(0)
        expect(next).toBeLessThan(count)
      },
    ),
  )
})

test('a click selects and a second one takes back; shift takes all between along', () => {
  const names = ['a', 'b', 'c', 'd']
  const one = selectionAfter(new Set(), names, 'b', undefined, false)
  expect([...one]).toEqual(['b'])
  expect([...selectionAfter(one, names, 'b', 'b', false)]).toEqual([])
  expect([...selectionAfter(one, names, 'd', 'b', true)]).toEqual(['b', 'c', 'd'])
  expect([...selectionAfter(new Set(names), names, 'a', 'c', true)]).toEqual(['d'])
  // The anchor is filtered away: as without shift.
  expect([...selectionAfter(one, names, 'd', 'z', true)]).toEqual(['b', 'd'])
})
