import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { instantOfWallClock, wallClockOf } from './wall-clock.ts'

test.each([
  ['2026-07-01T22:30:00.000Z', 'Europe/Berlin', '2026-07-02T00:30'],
  ['2026-01-01T00:00:00.000Z', 'America/New_York', '2025-12-31T19:00'],
  ['2026-01-01T00:00:00.000Z', 'Asia/Kolkata', '2026-01-01T05:30'],
  ['2026-01-01T00:00:00.000Z', 'UTC', '2026-01-01T00:00'],
])('%s is in %s %s', (time, zone, wall) => {
  expect(wallClockOf(time, zone)).toBe(wall)
  expect(instantOfWallClock(wall, zone)).toBe(time)
})

test('a time is the same, to the minute, after a way through the clock; within the hour where clocks change', () => {
  const zone = fc.constantFrom(
    'Europe/Berlin',
    'America/New_York',
    'Asia/Shanghai',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
  )
  const instant = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2040, 0, 1) })
  fc.assert(
    fc.property(instant, zone, (milliseconds, timeZone) => {
      const minute = Math.floor(milliseconds / 60_000) * 60_000
      const wall = wallClockOf(new Date(milliseconds).toISOString(), timeZone)
      const back = Date.parse(instantOfWallClock(wall, timeZone)!)
      expect([-3_600_000, -1_800_000, 0, 1_800_000, 3_600_000]).toContain(back - minute)
      expect(wallClockOf(new Date(back).toISOString(), timeZone)).toBe(wall)
    }),
  )
})

test('what is no time is none', () => {
  expect(instantOfWallClock('', 'UTC')).toBeUndefined()
  expect(instantOfWallClock('tomorrow', 'UTC')).toBeUndefined()
})
