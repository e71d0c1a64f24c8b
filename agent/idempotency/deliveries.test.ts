import { ResourceError } from '@keelson/engine'
import { eventually } from '@keelson/testbed'
import * as fc from 'fast-check'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import type { Answer } from '../answer.ts'
import { Refusal } from '../refusal.ts'
import { WriteQueue } from '../write-queue.ts'
import { Deliveries, maxRecordedBytes } from './deliveries.ts'
import { DeliveryRecords, type RecordLimits } from './delivery-records.ts'
import type { Delivery } from './delivery.ts'
import { isLater, type Order } from './order.ts'
import { SimulatedDisk, type Mishap } from './simulated-disk.fixture.ts'

const never = new AbortController().signal
const signals = { gone: never, stop: never }
const silent = pino({ level: 'silent' })

async function open(disk: SimulatedDisk, now = () => 0, limits?: RecordLimits): Promise<Deliveries> {
  const records = new DeliveryRecords(disk, now, limits)
  await records.load()
  return new Deliveries(records, silent)
}

const wish = (key: string, more: Partial<Delivery> = {}): Delivery => ({ key, digest: 'd', ...more })

/** Status, code or body, and whether it came from the record. */
async function outcome(answer: Promise<Answer>): Promise<string> {
  try {
    const { status, body, headers } = await answer
    const { code } = JSON.parse(body) as { readonly code?: string }
    return `${status} ${code ?? body}${headers?.['idempotency-replayed'] === 'true' ? ' replayed' : ''}`
  } catch (error) {
    if (error instanceof Refusal) return `refused ${error.status} ${error.code}`
    throw error
  }
}

/** A machine that is started again after each crash, from what was on its disk. */
class Machine {
  disk = new SimulatedDisk()
  #deliveries: Deliveries | undefined
  #queue = new WriteQueue(16)
  /** Times that the act began, by key. */
  readonly acts = new Map<string, number>()

  /** What the caller hears; `kill` or `power` where it hears nothing. */
  async deliver(delivery: Delivery, mishap?: Mishap, fails = false): Promise<string> {
    const { disk } = this
    disk.await(mishap)
    const heard = await Promise.race([disk.crashed.then(({ what }) => what), this.#deliver(delivery, disk, fails)])
    if (disk.crash === undefined) return heard
    // An answer that was ready when the process ended did not go out.
    this.disk = disk.reopened()
    this.#deliveries = undefined
    this.#queue = new WriteQueue(16)
    return disk.crash
  }

  async #deliver(delivery: Delivery, disk: SimulatedDisk, fails: boolean): Promise<string> {
    this.#deliveries ??= await open(disk)
    const { key = '', order } = delivery
    const act = async (): Promise<object> => {
      await disk.step()
      this.acts.set(key, (this.acts.get(key) ?? 0) + 1)
      await disk.step()
      if (fails) throw new ResourceError('act', 'Failed', 'failed')
      return { key, order }
    }
    return outcome(this.#deliveries.answer(delivery, this.#queue, act, signals))
  }
}

const mishaps: fc.Arbitrary<Mishap> = fc.record({
  step: fc.integer({ min: 1, max: 9 }),
  what: fc.constantFrom('kill', 'power', 'fail'),
  part: fc.constantFrom(0, 0.3, 0.7, 1),
})

describe('over crashes and failures of the disk at any step', () => {
  test('a wish is never done twice, its answer never changes, and what nothing happened to is done', async () => {
    const delivery = fc.record({ wish: fc.nat({ max: 3 }), mishap: fc.option(mishaps, { nil: undefined }) })
    const failing = fc.uniqueArray(fc.nat({ max: 3 }))
    await fc.assert(
      fc.asyncProperty(fc.array(delivery, { maxLength: 20 }), failing, async (deliveries, fails) => {
        const machine = new Machine()
        const told = new Map<number, string>()
        // An answer goes with the power, until it is heard again; one that could not be recorded with the process.
        const losable = new Map<number, 'power' | 'fail'>()
        const hit = new Set<number>()
        // At the end each once more, with nothing in the way.
        const last = [0, 1, 2, 3].map((index) => ({ wish: index, mishap: undefined }))
        for (const { wish: index, mishap } of [...deliveries, ...last]) {
          const key = String(index)
          const heard = await machine.deliver(wish(key), mishap, fails.includes(index))
          expect(machine.acts.get(key) ?? 0).toBeLessThanOrEqual(1)
          if (mishap !== undefined) hit.add(index)
          if (heard === 'power') {
            for (const other of told.keys()) {
              losable.set(other, losable.get(other) ?? 'power')
              hit.add(other)
            }
          }
          if (/^(kill|power|refused)/.test(heard)) continue
          const answer = heard.replace(' replayed', '')
          const before = told.get(index)
          const changed = before !== undefined && before !== answer
          expect(changed && !(losable.has(index) && answer === '409 OutcomeUnknown')).toBe(false)
          expect(before !== undefined && answer === heard).toBe(false)
          told.set(index, answer)
          if (losable.get(index) === 'power') losable.delete(index)
          if (mishap?.what === 'fail') losable.set(index, 'fail')
        }
        for (const index of [0, 1, 2, 3]) {
          const done = fails.includes(index) ? '500 Failed' : `200 {"key":"${index}"}`
          const answer = told.get(index)
          expect([done, hit.has(index) || losable.has(index) ? '409 OutcomeUnknown' : done]).toContain(answer)
          expect(answer === done ? machine.acts.get(String(index)) : 1).toBe(1)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('no act begins that is not later than all that have begun', async () => {
    const order = fc.record({ epoch: fc.nat({ max: 3 }), sequence: fc.nat({ max: 5 }) })
    const write = fc.record({ order, keyed: fc.boolean(), mishap: fc.option(mishaps, { nil: undefined }) })
    await fc.assert(
      fc.asyncProperty(fc.array(write, { maxLength: 20 }), async (writes) => {
        const machine = new Machine()
        /** The latest that an act has begun with, and the latest that ever came: what came and did not begin may be forgotten. */
        let [begun, came]: (Order | undefined)[] = []
        for (const [index, { order: own, keyed, mishap }] of writes.entries()) {
          const key = keyed ? String(index) : ''
          const before = machine.acts.get(key) ?? 0
          const heard = await machine.deliver({ digest: 'd', order: own, ...(keyed ? { key } : {}) }, mishap)
          const acted = (machine.acts.get(key) ?? 0) > before
          const follows = begun === undefined || isLater(own, begun)
          const leads = came === undefined || isLater(own, came)
          expect(acted && !follows).toBe(false)
          expect(mishap === undefined && leads && !acted).toBe(false)
          expect(mishap ? '200' : heard).toMatch(acted || mishap ? /^200/ : /^refused 409 Superseded$/)
          if (acted) begun = own
          if (leads) came = own
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('a delivery', () => {
  test('again: the recorded answer, and nothing is done; with another payload: refused', async () => {
    const machine = new Machine()
    expect(await machine.deliver(wish('k'))).toBe('200 {"key":"k"}')
    expect(await machine.deliver(wish('k'))).toBe('200 {"key":"k"} replayed')
    expect(await machine.deliver(wish('k', { digest: 'another' }))).toBe('refused 422 IdempotencyKeyReused')
    expect(machine.acts).toEqual(new Map([['k', 1]]))
  })

  test('again, after a failure: the same failure', async () => {
    const machine = new Machine()
    expect(await machine.deliver(wish('k'), undefined, true)).toBe('500 Failed')
    expect(await machine.deliver(wish('k'))).toBe('500 Failed replayed')
  })

  test('again, though it would be out of order by now', async () => {
    const machine = new Machine()
    const order = { epoch: 1, sequence: 1 }
    await machine.deliver(wish('k', { order }))
    await machine.deliver({ digest: 'd', order: { epoch: 2, sequence: 0 } })
    expect(await machine.deliver(wish('k', { order }))).toMatch(/^200 .* replayed$/)
    expect(await machine.deliver(wish('new', { order }))).toBe('refused 409 Superseded')
  })

  test('that was refused for its order may come again with a later one', async () => {
    const machine = new Machine()
    await machine.deliver({ digest: 'd', order: { epoch: 1, sequence: 5 } })
    expect(await machine.deliver(wish('k', { order: { epoch: 1, sequence: 5 } }))).toBe('refused 409 Superseded')
    expect(await machine.deliver(wish('k', { order: { epoch: 1, sequence: 6 } }))).toMatch(/^200/)
  })

  test.each(['kill', 'power'] as const)('whose act a %s cut short: nobody knows, now and later', async (what) => {
    const machine = new Machine()
    // The read, the new file, the intent, its sync, the act's first half; in its second the machine ends.
    expect(await machine.deliver(wish('k'), { step: 6, what, part: 1 })).toBe(what)
    expect(machine.acts.get('k')).toBe(1)
    expect(await machine.deliver(wish('k'))).toBe('409 OutcomeUnknown replayed')
    expect(await machine.deliver(wish('k', { digest: 'another' }))).toBe('refused 422 IdempotencyKeyReused')
    expect(await machine.deliver(wish('k'), { step: 1, what: 'kill', part: 1 })).toBe('409 OutcomeUnknown replayed')
    expect(await machine.deliver(wish('k'))).toBe('409 OutcomeUnknown replayed')
    expect(machine.acts.get('k')).toBe(1)
  })

  test.each([
    [0, 'refused 507 NoSpace'],
    [0.7, 'refused 500 NotRecorded'],
  ])('that cannot be recorded is refused before the act, and done once it can', async (part, refusal) => {
    for (const step of [2, 3, 4]) {
      const machine = new Machine()
      expect(await machine.deliver(wish('k'), { step, what: 'fail', part })).toBe(refusal)
      expect(machine.acts.size).toBe(0)
      expect(await machine.deliver(wish('k'))).toBe('200 {"key":"k"}')
    }
  })

  test('whose answer cannot be recorded is answered, and again as long as the agent runs', async () => {
    const machine = new Machine()
    expect(await machine.deliver(wish('k'), { step: 7, what: 'fail', part: 0.3 })).toBe('200 {"key":"k"}')
    expect(await machine.deliver(wish('k'))).toBe('200 {"key":"k"} replayed')
    // The next write makes the record whole, the answer with it.
    await machine.deliver(wish('next'))
    await machine.deliver(wish('end'), { step: 1, what: 'power', part: 0 })
    expect(await machine.deliver(wish('k'))).toBe('200 {"key":"k"} replayed')
  })

  test('with a long answer is answered in full, and then with what stands for it', async () => {
    const deliveries = await open(new SimulatedDisk())
    const answer = async (size: number) =>
      outcome(deliveries.answer(wish(String(size)), new WriteQueue(1), async () => ({ a: 'x'.repeat(size) }), signals))
    const fits = maxRecordedBytes - '{"a":""}'.length
    expect(await answer(fits)).toMatch(/^200 \{"a":"x+"\}$/)
    expect(await answer(fits)).toMatch(/^200 \{"a":"x+"\} replayed$/)
    expect(await answer(fits + 1)).toMatch(/^200 \{"a":"x+"\}$/)
    expect(await answer(fits + 1)).toBe('200 AnswerNotKept replayed')
  })
})

/** An act that the test lets go on when it likes. */
class HeldAct {
  begun = 0
  readonly #held = Promise.withResolvers<object>()

  readonly act = async (): Promise<object> => {
    this.begun++
    return this.#held.promise
  }

  end(): void {
    this.#held.resolve({ done: true })
  }

  fail(error: Error): void {
    this.#held.reject(error)
  }

  async hasBegun(): Promise<void> {
    await eventually('the act has begun', () => this.begun === 1, 5_000, 1)
  }
}

describe('deliveries at once', () => {
  test('of one key: one is done, the others hear that it is in flight, or that the key is another', async () => {
    const deliveries = await open(new SimulatedDisk())
    const [held, queue] = [new HeldAct(), new WriteQueue(16)]
    const answers = ['d', 'd', 'another'].map(async (digest) =>
      outcome(deliveries.answer(wish('k', { digest }), queue, held.act, signals)),
    )
    expect(await Promise.all(answers.slice(1))).toEqual(['refused 409 InFlight', 'refused 422 IdempotencyKeyReused'])
    await held.hasBegun()
    expect(await outcome(deliveries.answer(wish('k'), queue, held.act, signals))).toBe('refused 409 InFlight')
    held.end()
    expect(await answers[0]).toBe('200 {"done":true}')
    expect(await outcome(deliveries.answer(wish('k'), queue, held.act, signals))).toBe('200 {"done":true} replayed')
    expect(held.begun).toBe(1)
  })

  test('of many keys and types: each once, in whatever order the disk is done', async () => {
    const act = fc.record({ key: fc.nat({ max: 5 }), queue: fc.nat({ max: 2 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 12 }), fc.scheduler(), async (acts, scheduler) => {
        const pause = async (): Promise<void> => scheduler.schedule(Promise.resolve())
        const disk = new SimulatedDisk(Buffer.alloc(0), pause)
        // Written anew all the time.
        const limits = { keys: 100, ageMs: 1_000, rewriteBytes: 200 }
        const deliveries = await scheduler.waitFor(open(disk, () => 0, limits))
        const queues = [0, 1, 2].map(() => new WriteQueue(16))
        const done = new Map<number, number>()
        const outcomes = acts.map(async ({ key, queue }) =>
          outcome(
            deliveries.answer(
              wish(String(key)),
              queues[queue]!,
              async () => {
                await pause()
                done.set(key, (done.get(key) ?? 0) + 1)
                return { key }
              },
              signals,
            ),
          ),
        )
        await scheduler.waitFor(Promise.all(outcomes))
        const keys = new Set(acts.map(({ key }) => key))
        expect(done).toEqual(new Map([...done.keys()].map((key) => [key, 1])))
        expect(new Set(done.keys())).toEqual(keys)
        // All of it is on the disk, as the next process finds out.
        const next = await open(disk.reopened())
        for (const key of keys) {
          const again = next.answer(wish(String(key)), queues[0]!, async () => ({}), signals)
          expect(await outcome(again)).toBe(`200 {"key":${key}} replayed`)
        }
      }),
      { numRuns: 200 },
    )
  })

  test('a client that is gone while its write waits: nothing was begun, and the key is free', async () => {
    const deliveries = await open(new SimulatedDisk())
    const [held, queue, gone] = [new HeldAct(), new WriteQueue(16), new AbortController()]
    const first = deliveries.answer(wish('first'), queue, held.act, signals)
    const waiting = deliveries.answer(wish('waiting'), queue, held.act, { gone: gone.signal, stop: never })
    await held.hasBegun()
    gone.abort(new Refusal(499, 'ClientGone', 'gone'))
    held.end()
    await first
    expect(await outcome(waiting)).toBe('refused 499 ClientGone')
    expect(await outcome(deliveries.answer(wish('waiting'), queue, async () => ({}), signals))).toBe('200 {}')
  })

  test('a write that waits while a new leader writes elsewhere is not begun', async () => {
    const deliveries = await open(new SimulatedDisk())
    const [held, queue] = [new HeldAct(), new WriteQueue(16)]
    const old = (sequence: number) => ({ digest: 'd', order: { epoch: 1, sequence } })
    const first = deliveries.answer(old(1), queue, held.act, signals)
    const waiting = outcome(deliveries.answer(old(2), queue, held.act, signals))
    await held.hasBegun()
    const elsewhere = new WriteQueue(16)
    await deliveries.answer(old(3), elsewhere, async () => ({}), signals)
    const leader = { digest: 'd', order: { epoch: 2, sequence: 0 } }
    expect(await outcome(deliveries.answer(leader, elsewhere, async () => ({}), signals))).toBe('200 {}')
    held.end()
    await first
    expect(await waiting).toBe('refused 409 Superseded')
    expect(held.begun).toBe(1)
  })

  test('an act that the end of the agent cuts short is one that nobody knows the end of; what waits is not begun', async () => {
    const disk = new SimulatedDisk()
    const deliveries = await open(disk)
    const [held, queue, stop] = [new HeldAct(), new WriteQueue(16), new AbortController()]
    const begun = outcome(deliveries.answer(wish('begun'), queue, held.act, { gone: never, stop: stop.signal }))
    const waiting = outcome(deliveries.answer(wish('waiting'), queue, held.act, { gone: never, stop: stop.signal }))
    await held.hasBegun()
    const stopping = new Refusal(503, 'AgentStopping', 'stopping')
    stop.abort(stopping)
    held.fail(stopping)
    expect(await begun).toBe('409 OutcomeUnknown')
    expect(await waiting).toBe('refused 503 AgentStopping')
    const next = await open(disk.reopened())
    const again = async (key: string) => outcome(next.answer(wish(key), queue, async () => ({}), signals))
    expect([await again('begun'), await again('waiting')]).toEqual(['409 OutcomeUnknown replayed', '200 {}'])
  })
})

describe('a later round of the same run', () => {
  const key = (round: number, host = 'uid') => `run/${round}/${host}`

  test('gets what an earlier one did here, and nothing is done', async () => {
    const machine = new Machine()
    const first = await machine.deliver(wish(key(0)))
    expect(await machine.deliver(wish(key(1)))).toBe(`${first} replayed`)
    expect(await machine.deliver(wish(key(3)))).toBe(`${first} replayed`)
    expect([...machine.acts.values()]).toEqual([1])
  })

  test('is done where the earlier one failed: that is what rounds are for', async () => {
    const machine = new Machine()
    expect(await machine.deliver(wish(key(0)), undefined, true)).toBe('500 Failed')
    expect(await machine.deliver(wish(key(1)))).toMatch(/^200/)
    expect(machine.acts.get(key(1))).toBe(1)
  })

  test('of which nobody knows the end is not done either', async () => {
    const machine = new Machine()
    expect(await machine.deliver(wish(key(0)), { step: 4, what: 'kill', part: 1 })).toBe('kill')
    expect(machine.acts.get(key(0)) ?? 0).toBeLessThanOrEqual(1)
    for (const round of [1, 2]) expect(await machine.deliver(wish(key(round)))).toBe('409 OutcomeUnknown replayed')
    expect([machine.acts.get(key(1)), machine.acts.get(key(2))]).toEqual([undefined, undefined])
  })

  test('is another wish with another digest, for another host or of another run', async () => {
    const machine = new Machine()
    await machine.deliver(wish(key(0)))
    for (const other of [wish(key(1), { digest: 'e' }), wish(key(1, 'other')), wish('again/1/uid')])
      expect(await machine.deliver(other)).toMatch(/^200 .*[^d]$/)
    expect(machine.acts.size).toBe(4)
  })
})
