import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WriteQueue } from './write-queue.ts'

const never = new AbortController().signal

describe('WriteQueue', () => {
  test('one at a time, in the order of arrival, whatever fails or is given up, and never more than the limit', async () => {
    const task = fc.record({ fails: fc.boolean(), gone: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(
        fc.array(task, { maxLength: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.scheduler(),
        async (tasks, limit, s) => {
          const queue = new WriteQueue(limit)
          const started: number[] = []
          let inHand = 0
          let most = 0
          const outcomes = tasks.map(async ({ fails, gone }, index) => {
            const signal = gone ? AbortSignal.abort(new Error('gone')) : never
            const work = async (): Promise<number> => {
              started.push(index)
              inHand++
              most = Math.max(most, inHand)
              await s.schedule(Promise.resolve())
              inHand--
              if (fails) throw new Error('failed')
              return index
            }
            return queue
              .run(work, signal)
              .catch((error: unknown) => (error as Error & { code?: string }).code ?? (error as Error).message)
          })
          await s.waitFor(Promise.all(outcomes))
          expect(await Promise.all(outcomes)).toEqual(
            tasks.map(({ fails, gone }, index) => {
              if (index >= limit) return 'Busy'
              if (gone) return 'gone'
              return fails ? 'failed' : index
            }),
          )
          expect(started).toEqual([...tasks.keys()].filter((index) => index < limit && tasks[index]?.gone === false))
          expect(most).toBeLessThanOrEqual(1)
          // Whatever happened: it is empty, and works.
          expect(await queue.run(async () => 'again', never)).toBe('again')
        },
      ),
    )
  })

  test('at the limit: 503, and when to come again', async () => {
    const queue = new WriteQueue(1)
    const { promise, resolve } = Promise.withResolvers<void>()
    const first = queue.run(async () => promise, never)
    await expect(queue.run(async () => undefined, never)).rejects.toMatchObject({
      status: 503,
      code: 'Busy',
      headers: { 'retry-after': '10' },
    })
    resolve()
    await first
  })
})
