import { describe, expect, test } from 'vitest'
import { Controller, TerminalError, type ControllerOptions } from './controller.ts'
import { TooManyRequestsError } from './errors.ts'
import { WorkQueue } from './work-queue.ts'

const quick = { backoff: { initialMs: 1, maxMs: 4 } }

function start(options: Partial<ControllerOptions> & Pick<ControllerOptions, 'reconcile'>) {
  const stop = new AbortController()
  const queue = new WorkQueue(quick)
  const controller = new Controller({ sources: [], queue, ...options })
  return { controller, queue, stop, ended: controller.run(stop.signal) }
}

describe('Controller', () => {
  test('retries what failed, gives up on TerminalError, requeues where asked, and counts each', async () => {
    const calls: string[] = []
    const { promise: finished, resolve: finish } = Promise.withResolvers<void>()
    const errors: string[] = []
    const { controller, queue, stop, ended } = start({
      onError: (key, error) => {
        errors.push(`${key}: ${String(error)}`)
        throw new Error('a logger that is broken')
      },
      reconcile: async (key) => {
        await Promise.resolve()
        calls.push(key)
        const times = calls.filter((each) => each === key).length
        if (key === 'flaky' && times < 3) throw new Error('not yet')
        if (key === 'hopeless') throw new TerminalError('never')
        if (key === 'again' && times < 3) return { requeueAfterMs: 1 }
        if (['flaky', 'again'].every((each) => calls.filter((call) => call === each).length === 3)) finish()
        return undefined
      },
    })
    for (const key of ['flaky', 'hopeless', 'again', 'fine']) controller.enqueue(key)
    await finished
    stop.abort()
    await ended
    expect(calls.toSorted()).toEqual(['again', 'again', 'again', 'fine', 'flaky', 'flaky', 'flaky', 'hopeless'])
    expect(controller.counters).toEqual({ success: 3, requeueAfter: 2, error: 2, terminal: 1 })
    expect(errors).toContain('hopeless: TerminalError: never')
    expect(queue.failures('flaky')).toBe(0)
  })

  test('reconciles several keys at a time and never one key twice at a time', async () => {
    const active = new Set<string>()
    let most = 0
    let calls = 0
    const { promise: finished, resolve: finish } = Promise.withResolvers<void>()
    const { controller, stop, ended } = start({
      concurrency: 3,
      reconcile: async (key) => {
        expect(active).not.toContain(key)
        active.add(key)
        most = Math.max(most, active.size)
        controller.enqueue(key)
        await new Promise((resolve) => setImmediate(resolve))
        active.delete(key)
        if (++calls >= 40) finish()
      },
    })
    for (const key of ['a', 'b', 'c', 'd', 'e']) controller.enqueue(key)
    await finished
    stop.abort()
    await ended
    expect(most).toBe(3)
    expect(controller.counters.error).toBe(0)
  })

  test('starts only when every source is synced', async () => {
    const synced = Promise.withResolvers<void>()
    const calls: string[] = []
    const { promise: called, resolve } = Promise.withResolvers<void>()
    const { controller, stop, ended } = start({
      sources: [{ synced: async () => {} }, { synced: () => synced.promise }],
      reconcile: async (key) => {
        calls.push(key)
        resolve()
      },
    })
    controller.enqueue('a')
    await new Promise((next) => setImmediate(next))
    expect(calls).toEqual([])
    synced.resolve()
    await called
    stop.abort()
    await ended
    expect(calls).toEqual(['a'])
  })

  test('waits as long as an overloaded server asks', async () => {
    const { promise: failed, resolve } = Promise.withResolvers<void>()
    const { controller, queue, stop, ended } = start({
      onError: () => resolve(),
      reconcile: async () => {
        throw new TooManyRequestsError({ code: 'TooManyRequests', message: 'busy', retryAfterSeconds: 3_600 })
      },
    })
    controller.enqueue('a')
    await failed
    await new Promise((next) => setTimeout(next, 20))
    expect(queue.failures('a')).toBe(1)
    stop.abort()
    await ended
  })

  test('on stop lets what is in flight finish and starts nothing more', async () => {
    const started = Promise.withResolvers<AbortSignal>()
    const release = Promise.withResolvers<void>()
    const calls: string[] = []
    const { controller, stop, ended } = start({
      reconcile: async (key, signal) => {
        calls.push(key)
        started.resolve(signal)
        await release.promise
      },
    })
    controller.enqueue('a')
    controller.enqueue('b')
    const signal = await started.promise
    stop.abort()
    expect(signal.aborted).toBe(false)
    release.resolve()
    await ended
    expect(calls).toEqual(['a'])
    expect(controller.counters.success).toBe(1)
  })

  test('a key that comes at the very moment of the stop is not begun', async () => {
    const calls: string[] = []
    const { controller, stop, ended } = start({ reconcile: async (key) => void calls.push(key) })
    await new Promise((next) => setImmediate(next))
    controller.enqueue('a')
    stop.abort()
    await ended
    expect(calls).toEqual([])
  })

  test('after the deadline aborts what is in flight, and names what does not heed that', async () => {
    const heeding = start({
      stopTimeoutMs: 5,
      reconcile: (_, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    })
    heeding.controller.enqueue('a')
    await new Promise((next) => setImmediate(next))
    heeding.stop.abort()
    await heeding.ended
    expect(heeding.controller.counters.error).toBe(1)

    const deaf = start({ stopTimeoutMs: 5, reconcile: () => new Promise(() => {}) })
    deaf.controller.enqueue('deaf-key')
    await new Promise((next) => setImmediate(next))
    deaf.stop.abort()
    await expect(deaf.ended).rejects.toMatchObject({
      code: 'StopTimeout',
      message: expect.stringContaining('deaf-key') as string,
    })
  })

  test('stopped before its sources are synced it just ends', async () => {
    const { stop, ended } = start({
      sources: [
        {
          synced: (signal) =>
            new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
        },
      ],
      reconcile: async () => {},
    })
    stop.abort()
    await expect(ended).resolves.toBeUndefined()
  })
})
