import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { TestClock } from '../testing/test-clock.fixture.ts'
import { RateLimiter } from './rate-limiter.ts'

test('never more than the burst and one for each interval since, in whatever order calls come', () => {
  const calls = fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: 0, max: 500 })), { maxLength: 200 })
  const rate = fc.record({ burst: fc.integer({ min: 1, max: 20 }), intervalMs: fc.integer({ min: 1, max: 300 }) })
  fc.assert(
    fc.property(rate, calls, ({ burst, intervalMs }, list) => {
      const clock = new TestClock()
      const limiter = new RateLimiter({ burst, intervalMs }, clock)
      const granted: Record<string, number[]> = { a: [], b: [] }
      for (const [key, passMs] of list) {
        clock.pass(passMs)
        const now = clock.monotonicMs()
        const waitMs = limiter.spend(key)
        if (waitMs === 0) granted[key]!.push(now)
        // Before anything is refused a key has had its whole burst.
        expect(waitMs === 0 || granted[key]!.length >= burst).toBe(true)
      }
      for (const times of Object.values(granted))
        for (const [index, from] of times.entries())
          for (const [count, to] of times.slice(index).entries())
            expect(count + 1).toBeLessThanOrEqual(burst + Math.floor((to - from) / intervalMs))
    }),
  )
})

test('what it says to wait is enough, and not more than enough', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 1_000 }), (burst, intervalMs) => {
      const clock = new TestClock()
      const limiter = new RateLimiter({ burst, intervalMs }, clock)
      for (let count = 0; count < burst; count += 1) expect(limiter.spend('a')).toBe(0)
      const waitMs = limiter.spend('a')
      clock.pass(waitMs - 1)
      expect(limiter.spend('a')).toBe(1)
      clock.pass(1)
      expect(limiter.spend('a')).toBe(0)
    }),
  )
})

test('what is given back can be spent again', () => {
  const limiter = new RateLimiter({ burst: 1, intervalMs: 1_000 }, new TestClock())
  expect(limiter.spend('a')).toBe(0)
  limiter.refund('a')
  expect(limiter.spend('a')).toBe(0)
  expect(limiter.spend('a')).toBe(1_000)
})

test('keys are bounded', () => {
  const limiter = new RateLimiter({ burst: 1, intervalMs: 1_000 }, new TestClock())
  limiter.spend('first')
  for (let key = 0; key < 20_000; key += 1) limiter.spend(String(key))
  expect(limiter.spend('first')).toBe(0)
  expect(limiter.spend('19999')).toBe(1_000)
})
