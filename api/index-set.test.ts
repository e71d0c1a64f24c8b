import { assert, integer, property, uniqueArray } from 'fast-check'
import { expect, test } from 'vitest'
import { IndexSet } from './index-set.ts'

const members = uniqueArray(integer({ min: 0, max: 60 }), { maxLength: 60 })
const sorted = (values: Iterable<number>) => [...values].toSorted((a, b) => a - b)

test('behaves as a set of numbers does', () => {
  assert(
    property(members, members, integer({ min: 0, max: 70 }), (a, b, index) => {
      const [one, two] = [IndexSet.of(a), IndexSet.of(b)]
      const [left, right] = [new Set(a), new Set(b)]
      expect([...one]).toEqual(sorted(a))
      expect(one.size).toBe(left.size)
      expect(one.has(index)).toBe(left.has(index))
      expect([...one.union(two)]).toEqual(sorted(left.union(right)))
      expect([...one.without(two)]).toEqual(sorted(left.difference(right)))
      expect([...one.intersection(two)]).toEqual(sorted(left.intersection(right)))
      expect(one.equals(two)).toBe(left.symmetricDifference(right).size === 0)
    }),
    { numRuns: 1_000 },
  )
})

test('each set has one spelling, and that is read back', () => {
  assert(
    property(members, members, (a, b) => {
      const set = IndexSet.of(a).union(IndexSet.of(b))
      expect(IndexSet.parse(set.toString()).toString()).toBe(set.toString())
      expect(IndexSet.of([...set]).toString()).toBe(set.toString())
    }),
  )
  expect(IndexSet.of([3, 1, 0, 7, 2]).toString()).toBe('0-3,7')
  expect(IndexSet.upTo(0).toString()).toBe('')
  expect(IndexSet.upTo(1).toString()).toBe('0')
})

test.each(['-1', '1-', '2-1', '1-1', '3,1', '0-1,2', '1,1', '01', ' 1', '1, 2', 'a', ',', '99999999'])(
  '%j is not a set',
  (text) => {
    expect(() => IndexSet.parse(text)).toThrow(RangeError)
  },
)
