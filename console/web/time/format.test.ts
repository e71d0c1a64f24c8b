import { expect, test } from 'vitest'
import { formatAgo, formatLength, formatMoment, formatMomentWithZone, isTimeZone } from './format.ts'

const time = '2026-07-01T22:30:05Z'

test.each([
  [{ language: 'en', timeZone: 'Europe/Berlin' }, 'Jul 2, 2026, 00:30:05'],
  [{ language: 'en', timeZone: 'America/New_York' }, 'Jul 1, 2026, 18:30:05'],
  [{ language: 'zh-CN', timeZone: 'Asia/Shanghai' }, '2026年7月2日 06:30:05'],
])('%j reads %s', (reading, expected) => {
  expect(formatMoment(time, reading)).toBe(expected)
})

test('the time zone is named where it must be', () => {
  expect(formatMomentWithZone(time, { language: 'en', timeZone: 'Europe/Berlin' })).toContain('GMT+2')
})

test('a time zone that nobody knows is that of the browser', () => {
  expect(isTimeZone('Europe/Nowhere')).toBe(false)
  expect(() => formatMoment(time, { language: 'en', timeZone: 'Europe/Nowhere' })).not.toThrow()
})

test.each([
  [0, '0s'],
  [59.9, '59s'],
  [60, '1m'],
  [3_599, '59m'],
  [3_600, '1h'],
  [86_400 * 3 + 5, '3d'],
  [-4, '0s'],
])('%d seconds are %s', (seconds, expected) => {
  expect(formatLength(seconds, 'en')).toBe(expected)
})

test.each([
  ['en', 3_600_000 * 5, '5 hr. ago'],
  ['en', -5_000, 'now'],
  ['zh-CN', 60_000 * 3, '3分钟前'],
])('in %s, %d ms ago is %s', (language, milliseconds, expected) => {
  expect(formatAgo(time, Date.parse(time) + milliseconds, language)).toBe(expected)
})
