import { array, assert, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { compress, configMapLimit, decompress, digestOf, fitsInline, freeze } from './frozen-targets.ts'

test('what is frozen is sorted, unique and comes back', () => {
  assert(
    property(array(string()), (names) => {
      const frozen = freeze(names)
      expect(frozen).toEqual([...new Set(names)].toSorted())
      expect(decompress(compress(frozen), digestOf(frozen))).toEqual(frozen)
    }),
  )
})

test('another list is noticed', () => {
  expect(() => decompress(compress(['a', 'b']), digestOf(['a', 'c']))).toThrow('digest')
  expect(digestOf(['ab'])).not.toBe(digestOf(['a', 'b']))
})

test('256 usual names are inline, 5,000 long ones fit a ConfigMap', () => {
  const usual = Array.from({ length: 256 }, (_, index) => `worker-${index}.example.com`)
  expect(fitsInline(usual)).toBe(true)
  // Short names: the API takes 1,024, however few bytes they are.
  const short = Array.from({ length: 1_025 }, (_, index) => `n${index}`)
  expect([fitsInline(short.slice(1)), fitsInline(short)]).toEqual([true, false])
  const long = Array.from({ length: 5_000 }, (_, index) => `${index}${crypto.randomUUID().repeat(6)}`)
  expect(fitsInline(long)).toBe(false)
  expect(compress(long).length).toBeLessThan(configMapLimit)
})
