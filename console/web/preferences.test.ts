import { expect, test } from 'vitest'
import { languageFor } from './preferences.ts'

test.each([
  ['zh-CN', ['en-US'], 'zh-CN'],
  ['en', ['zh-CN'], 'en'],
  [null, ['de-DE', 'zh-TW', 'en'], 'zh-CN'],
  [null, ['en-GB', 'zh-CN'], 'en'],
  [null, ['de-DE'], 'en'],
  [null, [], 'en'],
  // What stands in the storage is not ours alone.
  ['xx', ['zh'], 'zh-CN'],
])('who chose %s and prefers %j reads %s', (chosen, preferred, expected) => {
  expect(languageFor(chosen, preferred)).toBe(expected)
})
