import { expect, test } from 'vitest'
import { settle } from './settle.ts'

test('waits until each was settled once, even if not all at the same time', async () => {
  const asked = new Map<string, number>()
  const behind = await settle(
    ['a', 'b', 'c'],
    (name) => {
      const times = (asked.get(name) ?? 0) + 1
      asked.set(name, times)
      return times === { a: 1, b: 2, c: 3 }[name]
    },
    60_000,
    undefined,
  )
  expect(behind).toEqual([])
  expect([...asked]).toEqual([
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ])
})

test('gives back who is behind when the time is over', async () => {
  expect(await settle(['a', 'b', 'c'], (name) => name === 'b', 10, undefined)).toEqual(['a', 'c'])
  expect(await settle(['a'], () => true, 0, undefined)).toEqual([])
})

test('throws the reason of an abort', async () => {
  const stop = new AbortController()
  const reason = new Error('stopped')
  const settled = settle(['a'], () => false, 60_000, stop.signal)
  stop.abort(reason)
  await expect(settled).rejects.toBe(reason)
})
