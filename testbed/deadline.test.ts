import { expect, test } from 'vitest'
import { DeadlineError, eventually } from './deadline.ts'

test('the first answer that is neither undefined nor false is given back; 0 and null are answers', async () => {
  const answers = [undefined, false, 0, 'late'] as const
  let asked = 0
  expect(await eventually('an answer', () => answers[asked++], 5_000, 1)).toBe(0)
  expect(asked).toBe(3)
  expect(await eventually('an answer', () => null, 5_000, 1)).toBeNull()
})

test('a probe that throws is asked again', async () => {
  let asked = 0
  const probe = async () => {
    asked += 1
    if (asked < 3) throw new Error('not yet')
    return asked
  }
  expect(await eventually('an answer', probe, 5_000, 1)).toBe(3)
})

test('at the deadline it says what was waited for and how the last probe failed', async () => {
  const probe = () => {
    throw new Error('refused')
  }
  const waiting = eventually('the server answers', probe, 30, 1)
  await expect(waiting).rejects.toThrow(DeadlineError)
  await expect(waiting).rejects.toThrow('the server answers: not within 30 ms; last: refused')
})

test('a probe is asked at least once, even when there is no time', async () => {
  expect(await eventually('an answer', () => 'at once', 0)).toBe('at once')
})

test('a probe that never answers is not waited for, and may fail later without harm', async () => {
  const { promise, reject } = Promise.withResolvers<string>()
  await expect(eventually('an answer', () => promise, 30, 1)).rejects.toThrow('an answer: not within 30 ms')
  reject(new Error('too late'))
  await expect(promise).rejects.toThrow('too late')
})
