import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Clock } from './clock.ts'
import { WorkQueue } from './work-queue.ts'

/** Time that passes only by `advance`; what is due fires in order. */
class ManualClock implements Clock {
  #now = 0
  #timers: { readonly at: number; readonly callback: () => void }[] = []

  now(): number {
    return this.#now
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#now + delayMs, callback }
    this.#timers.push(timer)
    return () => (this.#timers = this.#timers.filter((each) => each !== timer))
  }

  advance(milliseconds: number): void {
    const until = this.#now + milliseconds
    for (;;) {
      const [next] = this.#timers.toSorted((a, b) => a.at - b.at)
      if (!next || next.at > until) break
      this.#timers = this.#timers.filter((each) => each !== next)
      this.#now = next.at
      next.callback()
    }
    this.#now = until
  }

  get pending(): number {
    return this.#timers.length
  }
}

const backoff = { initialMs: 5, maxMs: 80 }

/** What client-go documents, in the plainest form: a list of waiting keys, who is held, who was added while held, and what comes later. */
class Model {
  now = 0
  readonly waiting: string[] = []
  readonly held = new Set<string>()
  readonly again = new Set<string>()
  later: { key: string; at: number }[] = []
  readonly failures = new Map<string, number>()

  add(key: string): void {
    if (this.held.has(key)) this.again.add(key)
    else if (!this.waiting.includes(key)) this.waiting.push(key)
  }

  addAfter(key: string, delay: number): void {
    if (delay <= 0) return this.add(key)
    const planned = this.later.find((each) => each.key === key)
    if (planned && planned.at <= this.now + delay) return
    this.later = [...this.later.filter((each) => each !== planned), { key, at: this.now + delay }]
  }

  fail(key: string): void {
    const failures = this.failures.get(key) ?? 0
    this.failures.set(key, failures + 1)
    this.addAfter(key, [5, 10, 20, 40, 80][failures] ?? 80)
  }

  take(): string | undefined {
    const key = this.waiting.shift()
    if (key !== undefined) this.held.add(key)
    return key
  }

  done(key: string): void {
    this.held.delete(key)
    if (this.again.delete(key)) this.waiting.push(key)
  }

  advance(milliseconds: number): void {
    this.now += milliseconds
    const due = this.later.filter(({ at }) => at <= this.now).toSorted((a, b) => a.at - b.at)
    this.later = this.later.filter(({ at }) => at > this.now)
    for (const { key } of due) this.add(key)
  }
}

const key = fc.constantFrom('a', 'b', 'c', 'd')
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key }),
  fc.record({ do: fc.constant('addAfter' as const), key, delay: fc.integer({ min: 0, max: 30 }) }),
  fc.record({ do: fc.constant('fail' as const), key }),
  fc.record({ do: fc.constant('forget' as const), key }),
  fc.record({ do: fc.constant('take' as const) }),
  fc.record({ do: fc.constant('done' as const), key }),
  fc.record({ do: fc.constant('advance' as const), by: fc.integer({ min: 1, max: 50 }) }),
)

describe('WorkQueue', () => {
  test('behaves as its model in every sequence of calls', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = new ManualClock()
        const queue = new WorkQueue({ backoff, clock })
        const model = new Model()
        const taken: (string | undefined)[] = []
        const expected: (string | undefined)[] = []
        for (const each of steps) {
          switch (each.do) {
            case 'add':
              queue.add(each.key)
              model.add(each.key)
              break
            case 'addAfter':
              queue.addAfter(each.key, each.delay)
              model.addAfter(each.key, each.delay)
              break
            case 'fail':
              queue.addRateLimited(each.key)
              model.fail(each.key)
              break
            case 'forget':
              queue.forget(each.key)
              model.failures.delete(each.key)
              break
            case 'take':
              taken.push(queue.length === 0 ? undefined : await queue.get())
              expected.push(model.take())
              break
            case 'done':
              queue.done(each.key)
              if (model.held.has(each.key)) model.done(each.key)
              break
            case 'advance':
              clock.advance(each.by)
              model.advance(each.by)
          }
          expect(taken).toEqual(expected)
          expect(queue.length).toBe(model.waiting.length)
          expect(clock.pending).toBe(model.later.length)
          for (const name of ['a', 'b', 'c', 'd']) expect(queue.failures(name)).toBe(model.failures.get(name) ?? 0)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('with many takers at once no key is held by two and none is lost', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(key, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        async (keys, takers) => {
          const queue = new WorkQueue({ clock: new ManualClock() })
          const held = new Set<string>()
          const added = new Map<string, number>()
          const seen = new Map<string, number>()
          const work = async (): Promise<void> => {
            for (let each = await queue.get(); each !== undefined; each = await queue.get()) {
              expect(held).not.toContain(each)
              held.add(each)
              seen.set(each, added.get(each)!)
              await Promise.resolve()
              held.delete(each)
              queue.done(each)
            }
          }
          const workers = Array.from({ length: takers }, work)
          for (const [index, each] of keys.entries()) {
            added.set(each, index)
            queue.add(each)
            if (index % 3 === 0) await Promise.resolve()
          }
          await queue.drain()
          await Promise.all(workers)
          // Whoever took a key last began after it was added last.
          expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(added))
        },
      ),
    )
  })

  test('hands keys to waiting takers in the order in which those came', async () => {
    const queue = new WorkQueue()
    const first = queue.get()
    const second = queue.get()
    queue.add('a')
    queue.add('b')
    expect(await Promise.all([first, second])).toEqual(['a', 'b'])
  })

  test('a taker that gives up loses no key', async () => {
    const queue = new WorkQueue()
    const controller = new AbortController()
    const first = queue.get(controller.signal)
    const second = queue.get()
    controller.abort()
    queue.add('a')
    expect(await first).toBeUndefined()
    expect(await second).toBe('a')
  })

  test('backs off from 5 ms to 1000 s by default, and never before the time that the server asked for', () => {
    const clock = new ManualClock()
    const queue = new WorkQueue({ clock })
    const waits: number[] = []
    for (let failure = 0; failure < 20; failure++) {
      queue.addRateLimited('a')
      const start = clock.now()
      while (queue.length === 0) clock.advance(5)
      waits.push(clock.now() - start)
      void queue.get()
      queue.done('a')
    }
    expect(waits.slice(0, 4)).toEqual([5, 10, 20, 40])
    expect(waits.slice(-2)).toEqual([1_000_000, 1_000_000])
    queue.addRateLimited('b', 1_000)
    clock.advance(999)
    expect(queue.length).toBe(0)
    clock.advance(1)
    expect(queue.length).toBe(1)
  })

  test('drain leaves out what was to come later and waits for what is held', async () => {
    const clock = new ManualClock()
    const queue = new WorkQueue({ clock })
    queue.add('a')
    queue.add('b')
    queue.addAfter('later', 10)
    expect(await queue.get()).toBe('a')
    const events: string[] = []
    const drained = queue.drain().then(() => events.push('drained'))
    queue.add('c')
    expect(clock.pending).toBe(0)
    expect(await queue.get()).toBe('b')
    expect(await queue.get()).toBeUndefined()
    queue.done('b')
    await Promise.resolve()
    events.push('done with a')
    queue.done('a')
    await drained
    expect(events).toEqual(['done with a', 'drained'])
  })
})
