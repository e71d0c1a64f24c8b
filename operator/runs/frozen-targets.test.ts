import { unpackTargetList } from '@keelson/api'
import { array, assert, asyncProperty, string } from 'fast-check'
import { expect, test } from 'vitest'
import { compress, configMapLimit, digestOf, fitsInline, freeze } from './frozen-targets.ts'

test('what is frozen is sorted, unique and comes back', async () => {
  await assert(
    asyncProperty(array(string()), async (names) => {
      const frozen = freeze(names)
      expect(frozen).toEqual([...new Set(names)].toSorted())
      expect(await unpackTargetList(Uint8Array.from(compress(frozen)), digestOf(frozen))).toEqual(frozen)
    }),
  )
})

test('another list has another digest', () => {
  expect(digestOf(['a', 'b'])).not.toBe(digestOf(['a', 'c']))
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
