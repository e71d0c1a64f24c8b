import { IndexSet } from '@keelson/api'
import {
  array,
  assert,
  asyncProperty,
  boolean,
  constantFrom,
  integer,
  record as shape,
  sample,
  scheduler as anyScheduler,
  tuple,
  uniqueArray,
  type Scheduler,
} from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { carryOut, type RunEnd, type RunOptions, type RunPorts, type Sent } from './carry-out.ts'
import type { RunPolicy } from './decide.ts'
import { beginning, type RunRecord } from './run-record.ts'

// Thousands of histories, on a machine that may be busy with other things too.
vi.setConfig({ testTimeout: 120_000 })

/** What the API server and the hosts would hold: one record with a version, and who executed what in which round. */
class World {
  record: RunRecord = { ...beginning, epoch: 0 }
  version = 1
  /** `round/index` for each execution. */
  readonly executed: string[] = []
  /** Everything that was ever claimed and, when its claim was taken over, had no outcome written. */
  abandoned = IndexSet.empty
  writes = 0
  finished: RunEnd | undefined
  /** At the record, nobody carries the run on. */
  paused = false
  /** The wish of whoever asked for the run. */
  suspended = false
  /** Executions that were begun, and claims that were made, against that wish. */
  unwanted = 0
}

const wordOf = ({ finished, paused }: World) => (finished ? 'finished' : paused ? 'paused' : undefined)

class Crash extends Error {}

type Fault = 'none' | 'conflict' | 'lost before' | 'lost after'

type Leader = {
  /** Its process is killed before its n-th step; it takes none after that. */
  readonly crashAt: number
  /** What goes wrong with its writes, in turn. */
  readonly faults: readonly Fault[]
}

/** The ports of one leader's process: each step may be interleaved with those of others, and may be its last. */
function portsOf(world: World, leader: Leader, answers: ReadonlyMap<number, Sent>, scheduler: Scheduler): RunPorts {
  let steps = 0
  const faults = leader.faults.values()
  const step = async (label: string): Promise<void> => {
    await scheduler.schedule(Promise.resolve(), label)
    steps += 1
    if (steps >= leader.crashAt) throw new Crash()
  }
  return {
    store: {
      async read() {
        await step('read')
        return { record: world.record, version: String(world.version), word: wordOf(world) }
      },
      async write(record, version, _signal, word) {
        await step('write')
        const fault = faults.next().value ?? 'none'
        // A label edit by somebody else, just before.
        if (fault === 'conflict') world.version += 1
        if (fault === 'lost before') throw new Error('connection lost')
        if (version !== String(world.version)) throw new Error('conflict')
        if (world.suspended && !record.claim.equals(world.record.claim)) world.unwanted += record.claim.size
        if (record.epoch !== world.record.epoch) world.abandoned = world.abandoned.union(world.record.claim)
        world.record = record
        world.paused = word?.kind === 'paused'
        if (word?.kind === 'finished') world.finished = { ...word, record }
        world.version += 1
        world.writes += 1
        if (fault === 'lost after') throw new Error('connection lost')
        const written = String(world.version)
        await step('written')
        return written
      },
    },
    async send(index, round) {
      if (world.suspended) world.unwanted += 1
      await step(`send ${index}`)
      world.executed.push(`${round}/${index}`)
      await step(`sent ${index}`)
      return answers.get(index) ?? 'succeeded'
    },
    isOffline: () => false,
    isExpired: () => false,
    isSuspended: () => world.suspended,
    changed: () => step('changed'),
    backOff: () => step('back off'),
    storeBackOff: () => step('store back off'),
    async progressDue(signal) {
      await step('progress')
      signal.throwIfAborted()
    },
    resting: never,
    cutOff: never,
  }
}

const never = new AbortController().signal

const targets = 12
const order = Array.from({ length: targets }, (_, index) => index)
const everything: RunPolicy = {
  ...{ order, waves: [targets], window: 4, maxFailures: targets, retryLimit: 0 },
  ...{ onFailure: 'Stop', onOffline: 'Skip' },
}
type Options = Partial<Omit<RunOptions, 'policy'>> & { readonly policy?: RunPolicy }

const options = (epoch: number, { policy = everything, ...more }: Options = {}): RunOptions => ({
  ...{ policy: () => policy, parallelism: 2, claims: true, onUnknown: 'Fail', epoch },
  ...more,
})

/** Runs one leadership; a killed process says nothing more. */
async function lead(
  world: World,
  leader: Leader,
  run: RunOptions,
  answers: ReadonlyMap<number, Sent>,
  scheduler: Scheduler,
): Promise<RunEnd | 'crashed'> {
  return carryOut(run, portsOf(world, leader, answers, scheduler), new AbortController().signal).catch(
    (error: unknown) => {
      if (error instanceof Crash) return 'crashed'
      throw error
    },
  )
}

const fault = constantFrom<Fault>('none', 'none', 'conflict', 'lost before', 'lost after')
const crashing = shape({ crashAt: integer({ min: 1, max: 60 }), faults: array(fault, { maxLength: 12 }) })
const answering = uniqueArray(
  tuple(integer({ min: 0, max: targets - 1 }), constantFrom<Sent>('failed', 'failed', 'unknown')),
  {
    selector: ([index]) => index,
    maxLength: 6,
  },
).map((entries) => new Map(entries))

/** Leaders that come one after another or overlap, each with a higher epoch, and a last one that lives: the end that is written down. */
async function history(
  world: World,
  leaders: readonly Leader[],
  overlap: boolean,
  more: Options,
  answers: ReadonlyMap<number, Sent>,
  scheduler: Scheduler,
): Promise<RunEnd | undefined> {
  const under = async (epoch: number, leader: Leader) => lead(world, leader, options(epoch, more), answers, scheduler)
  const last: Leader = { crashAt: Infinity, faults: leaders[0]?.faults ?? [] }
  const all = (async () => {
    const running: Promise<unknown>[] = []
    for (const [index, leader] of leaders.entries()) {
      const run = under(index + 1, leader)
      if (overlap) running.push(run)
      else await run
    }
    // The last to be elected: whoever came before may still be running and think otherwise.
    let end = await under(leaders.length + 1, last)
    // A write of an earlier leader that was still on its way came between its first read and its first write: it begins again, unless
    // that write was the last word.
    for (
      let again = 0;
      again < 50 && world.finished === undefined && end !== 'crashed' && end.kind === 'lost';
      again += 1
    )
      end = await under(leaders.length + 1, last)
    await Promise.all(running)
    return world.finished
  })()
  await scheduler.waitFor(all)
  return all
}

function expectEachOnce(world: World): void {
  expect(world.executed.toSorted()).toEqual([...new Set(world.executed)].toSorted())
}

function expectPartition({ succeeded, failed, unknown, skipped }: RunRecord): void {
  const all = [...succeeded, ...failed, ...unknown, ...skipped].toSorted((a, b) => a - b)
  expect(all).toEqual(order)
}

describe('with claims', () => {
  test('crashes at any step, 409s, lost answers and overlapping leaders: none lost, none executed twice in a round', async () => {
    await assert(
      asyncProperty(
        array(crashing, { maxLength: 3 }),
        boolean(),
        answering,
        integer({ min: 0, max: 2 }),
        anyScheduler(),
        async (leaders, overlap, answers, retryLimit, scheduler) => {
          const world = new World()
          const policy = { ...everything, retryLimit }
          const end = await history(world, leaders, overlap, { policy }, answers, scheduler)
          expectEachOnce(world)
          expect(end).toMatchObject({ kind: 'finished', reason: 'Done' })
          const { record } = world
          expect(record.claim.size).toBe(0)
          expectPartition(record)
          const told = [...answers].filter(([, outcome]) => outcome === 'unknown').map(([index]) => index)
          // Unknown is what was claimed by a leader that did not commit it, and what the receiver left open; nothing else.
          expect([...record.unknown.without(world.abandoned.union(IndexSet.of(told)))]).toEqual([])
          for (const index of record.succeeded) expect(answers.get(index) ?? 'succeeded').toBe('succeeded')
          const executed = new Set(world.executed.map((entry) => Number(entry.split('/')[1])))
          for (const index of record.succeeded.union(record.failed)) expect(executed.has(index)).toBe(true)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('what a killed leader had claimed and not committed is unknown, all of it', async () => {
    for (let crashAt = 2; crashAt < 60; crashAt += 1) {
      const world = new World()
      const scheduler = sample(anyScheduler(), { numRuns: 1, seed: crashAt })[0]!
      const killed = lead(world, { crashAt, faults: [] }, options(1), new Map(), scheduler)
      await scheduler.waitFor(killed)
      const claimed = world.record.claim
      const rest = lead(world, { crashAt: Infinity, faults: [] }, options(2), new Map(), scheduler)
      await scheduler.waitFor(rest)
      expect(world.record.unknown.toString()).toBe(claimed.toString())
      expectEachOnce(world)
    }
  })

  test('Resend sends again what a killed leader had claimed', async () => {
    const world = new World()
    const scheduler = sample(anyScheduler(), { numRuns: 1, seed: 1 })[0]!
    await scheduler.waitFor(lead(world, { crashAt: 6, faults: [] }, options(1), new Map(), scheduler))
    expect(world.record.claim.size).toBe(4)
    await scheduler.waitFor(
      lead(world, { crashAt: Infinity, faults: [] }, options(2, { onUnknown: 'Resend' }), new Map(), scheduler),
    )
    expect(world.record).toMatchObject({ succeeded: IndexSet.upTo(targets), unknown: IndexSet.empty })
  })

  test('costs at most one write a window and two more', async () => {
    const world = new World()
    const scheduler = sample(anyScheduler(), { numRuns: 1, seed: 1 })[0]!
    await scheduler.waitFor(lead(world, { crashAt: Infinity, faults: [] }, options(1), new Map(), scheduler))
    expect(world.writes).toBeLessThanOrEqual(targets / 4 + 2)
  })

  test('a leader of an earlier epoch does nothing', async () => {
    const world = new World()
    world.record = { ...beginning, epoch: 5 }
    const scheduler = sample(anyScheduler(), { numRuns: 1, seed: 1 })[0]!
    const end = lead(world, { crashAt: Infinity, faults: [] }, options(4), new Map(), scheduler)
    await scheduler.waitFor(end)
    expect(await end).toEqual({ kind: 'lost' })
    expect(world.executed).toEqual([])
  })
})

describe('without claims', () => {
  test('crashes at any step: every target is sent to until it is known, and nothing is unknown by a crash', async () => {
    await assert(
      asyncProperty(
        array(crashing, { maxLength: 3 }),
        answering,
        anyScheduler(),
        async (leaders, answers, scheduler) => {
          const world = new World()
          const end = await history(
            world,
            leaders,
            false,
            { claims: false, policy: { ...everything, window: targets } },
            answers,
            scheduler,
          )
          expect(end).toMatchObject({ kind: 'finished' })
          expectPartition(world.record)
          for (const index of order) {
            const outcome = answers.get(index) ?? 'succeeded'
            expect(world.record[outcome].has(index)).toBe(true)
            expect(world.executed).toContain(`0/${index}`)
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

test('never more than `parallelism` are sent to at a time, and as many as that wherever there are', async () => {
  await assert(
    asyncProperty(boolean(), integer({ min: 1, max: 15 }), anyScheduler(), async (claims, parallelism, scheduler) => {
      const world = new World()
      const ports = portsOf(world, { crashAt: Infinity, faults: [] }, new Map(), scheduler)
      let present = 0
      let most = 0
      const counting: RunPorts = {
        ...ports,
        async send(index, round, signal) {
          present += 1
          most = Math.max(most, present)
          try {
            return await ports.send(index, round, signal)
          } finally {
            present -= 1
          }
        },
      }
      const window = claims ? 4 : targets
      const run = options(1, { claims, parallelism, policy: { ...everything, window } })
      await scheduler.waitFor(carryOut(run, counting, new AbortController().signal))
      expect(most).toBe(Math.min(parallelism, window))
      expectEachOnce(world)
      expect(world.record.succeeded.size).toBe(targets)
    }),
  )
})

describe('told to come to rest', () => {
  test('at any step, with or without claims: it begins nothing more, and whoever carries it on loses nothing and repeats nothing', async () => {
    await assert(
      asyncProperty(
        ...[integer({ min: 1, max: 60 }), integer({ min: 0, max: 6 }), boolean()],
        ...[array(fault, { maxLength: 12 }), answering, anyScheduler()],
        async (restAt, patience, claims, faults, answers, scheduler) => {
          const world = new World()
          const resting = new AbortController()
          const cutOff = new AbortController()
          const ports = portsOf(world, { crashAt: Infinity, faults }, answers, scheduler)
          let steps = 0
          const told = () => {
            steps += 1
            if (steps >= restAt) resting.abort()
            if (steps >= restAt + patience) cutOff.abort()
          }
          const underWay = new Set<number>()
          const first: RunPorts = {
            ...ports,
            ...{ resting: resting.signal, cutOff: cutOff.signal },
            store: {
              read: async (signal) => ports.store.read(signal).finally(told),
              write: async (...written) => ports.store.write(...written).finally(told),
            },
            async send(index, round, signal) {
              expect(resting.signal.aborted).toBe(false)
              underWay.add(index)
              told()
              const outcome = await ports.send(index, round, signal)
              told()
              signal.throwIfAborted()
              underWay.delete(index)
              return outcome
            },
          }
          const policy = { ...everything, window: claims ? 4 : targets }
          const end = carryOut(options(1, { claims, policy }), first, new AbortController().signal)
          await scheduler.waitFor(end)
          const { kind } = await end
          const atRest = kind === 'resting'
          const claimed = world.record.claim
          expect([...claimed]).toEqual(atRest && claims ? [...underWay].toSorted((a, b) => a - b) : [...claimed])
          const next = lead(
            world,
            { crashAt: Infinity, faults: [] },
            options(2, { claims, policy }),
            answers,
            scheduler,
          )
          await scheduler.waitFor(next)
          expectPartition(world.record)
          if (!claims) return
          expectEachOnce(world)
          // Only what had no answer when it was broken off, and what the receiver left open.
          const open = (index: number) => claimed.has(index) || answers.get(index) === 'unknown'
          expect(atRest ? [...world.record.unknown].filter((index) => !open(index)) : []).toEqual([])
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test('while it waits, it ends the wait', async () => {
    const world = new World()
    const scheduler = sample(anyScheduler(), { numRuns: 1, seed: 1 })[0]!
    const resting = new AbortController()
    const ports: RunPorts = {
      ...portsOf(world, { crashAt: Infinity, faults: [] }, new Map(), scheduler),
      ...{ isOffline: (index: number) => index === 5, resting: resting.signal },
      changed: async (signal) => {
        resting.abort()
        signal.throwIfAborted()
      },
    }
    const policy = { ...everything, onOffline: 'Wait' as const }
    const end = carryOut(options(1, { policy }), ports, new AbortController().signal)
    await scheduler.waitFor(end)
    expect(await end).toEqual({ kind: 'resting' })
    expect(world.record).toMatchObject({
      claim: IndexSet.empty,
      succeeded: IndexSet.upTo(targets).without(IndexSet.of([5])),
    })
  })
})

describe('waves and thresholds', () => {
  const run = async (more: Partial<RunPolicy>, answers: ReadonlyMap<number, Sent>, parallelism = 1) => {
    const world = new World()
    const scheduler = sample(anyScheduler(), { numRuns: 1, seed: 7 })[0]!
    const end = lead(
      world,
      { crashAt: Infinity, faults: [] },
      options(1, { policy: { ...everything, ...more }, parallelism }),
      answers,
      scheduler,
    )
    await scheduler.waitFor(end)
    return { world, end: await end }
  }

  test('a failing canary stops the waves', async () => {
    const { world, end } = await run({ waves: [1, 6, targets] }, new Map([[0, 'failed']]))
    expect(end).toMatchObject({ kind: 'finished', reason: 'WaveFailed' })
    expect(world.executed).toEqual(['0/0'])
  })

  test('Continue goes on after a wave that failed', async () => {
    const { world, end } = await run({ waves: [1, targets], onFailure: 'Continue' }, new Map([[0, 'unknown']]))
    expect(end).toMatchObject({ kind: 'finished', reason: 'Done' })
    expect(world.executed).toHaveLength(targets)
  })

  test('what was not sent to when a run stops is told, and is among the skipped', async () => {
    const { world, end } = await run({ waves: [1, targets] }, new Map([[0, 'failed']]))
    expect(end).toMatchObject({ reason: 'WaveFailed', unsent: IndexSet.upTo(targets).without(IndexSet.of([0])) })
    expect(world.record.skipped.size).toBe(targets - 1)
  })

  test('the waves follow the given order', async () => {
    const { world } = await run({ order: order.toReversed(), waves: [2, targets] }, new Map())
    expect(world.executed.slice(0, 2).toSorted()).toEqual(['0/10', '0/11'])
  })

  test('a retry that succeeds lets the next wave begin', async () => {
    const world = new World()
    const scheduler = sample(anyScheduler(), { numRuns: 1, seed: 7 })[0]!
    const ports = portsOf(world, { crashAt: Infinity, faults: [] }, new Map(), scheduler)
    const flaky: RunPorts = {
      ...ports,
      send: async (index, round, signal) => (index === 0 && round === 0 ? 'failed' : ports.send(index, round, signal)),
    }
    const policy = { ...everything, waves: [1, targets], retryLimit: 1 }
    const end = carryOut(options(1, { policy }), flaky, new AbortController().signal)
    await scheduler.waitFor(end)
    expect(await end).toMatchObject({ kind: 'finished', reason: 'Done' })
    expect(world.record.succeeded.size).toBe(targets)
    expect(world.executed).toContain('1/0')
  })

  test('maxFailures: exactly k go on, k + 1 stop it, counted at each completion', async () => {
    for (const k of [0, 1, 5]) {
      const answers = (count: number) =>
        new Map(order.slice(0, count).map((index): [number, Sent] => [index, 'failed']))
      const exactly = await run({ maxFailures: k, window: targets }, answers(k))
      expect(exactly.end).toMatchObject({ reason: 'Done' })
      expect(exactly.world.executed).toHaveLength(targets)
      const oneMore = await run({ maxFailures: k, window: targets }, answers(k + 1))
      expect(oneMore.end).toMatchObject({ reason: 'TooManyFailures' })
      expect(oneMore.world.executed).toHaveLength(k + 1)
    }
  })
})

describe('pauses', () => {
  const alone = sample(anyScheduler(), { numRuns: 1, seed: 7 })[0]!
  const lives: Leader = { crashAt: Infinity, faults: [] }
  const carried = async (world: World, policy: RunPolicy, answers: ReadonlyMap<number, Sent>, epoch = 1) => {
    const end = lead(world, lives, options(epoch, { policy, parallelism: 1 }), answers, alone)
    await alone.waitFor(end)
    return end
  }

  test('suspended and resumed at any step, with crashes, 409s and lost answers: nothing begins meanwhile, none lost, none twice', async () => {
    await assert(
      asyncProperty(
        array(shape({ leader: crashing, suspendAt: integer({ min: 0, max: 30 }) }), { minLength: 1, maxLength: 4 }),
        answering,
        integer({ min: 0, max: 2 }),
        boolean(),
        anyScheduler(),
        async (stints, answers, retryLimit, claims, scheduler) => {
          const world = new World()
          const policy = { ...everything, retryLimit, window: claims ? 4 : targets }
          const all = (async () => {
            for (const [index, { leader, suspendAt }] of stints.entries()) {
              world.suspended = false
              const person = async () => {
                for (let step = 0; step < suspendAt; step += 1) await scheduler.schedule(Promise.resolve(), 'person')
                // A changed spec is another version: a claim that is under way fails.
                world.suspended = true
                world.version += 1
              }
              const [end] = await Promise.all([
                lead(world, leader, options(index + 1, { policy, claims }), answers, scheduler),
                person(),
              ])
              const ends = end === 'crashed' ? ['finished', 'paused', undefined] : ['finished', 'paused']
              expect(ends).toContain(wordOf(world))
              expect(end !== 'crashed' && world.paused && world.record.claim.size > 0).toBe(false)
            }
            world.suspended = false
            if (world.finished === undefined)
              await lead(world, lives, options(stints.length + 1, { policy, claims }), answers, scheduler)
          })()
          await scheduler.waitFor(all)
          await all
          expect(world.unwanted).toBe(0)
          expect(world.finished).toMatchObject({ kind: 'finished', reason: 'Done' })
          expectPartition(world.record)
          if (claims) expectEachOnce(world)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test('suspended before it begins: nothing is sent, and it is told', async () => {
    const world = new World()
    world.suspended = true
    expect(await carried(world, everything, new Map())).toMatchObject({ kind: 'paused', reason: 'Suspended' })
    expect([world.executed, world.paused, world.record.claim.size]).toEqual([[], true, 0])
  })

  test('a wave that failed is asked about once, and Continue or Stop is the answer', async () => {
    const asking: RunPolicy = { ...everything, waves: [1, 6, targets], onFailure: 'Pause' }
    const answers = new Map<number, Sent>([[0, 'failed']])
    for (const answer of ['Continue', 'Stop'] as const) {
      const world = new World()
      expect(await carried(world, asking, answers)).toMatchObject({ kind: 'paused', reason: 'WaveFailed' })
      expect(world.executed).toEqual(['0/0'])
      // An operator that takes it over asks no other question.
      expect(await carried(world, asking, answers, 2)).toMatchObject({ kind: 'paused', reason: 'WaveFailed' })
      const end = await carried(world, { ...asking, onFailure: answer }, answers, 3)
      expect(end).toMatchObject({ kind: 'finished', reason: answer === 'Stop' ? 'WaveFailed' : 'Done' })
      expect(world.executed).toHaveLength(answer === 'Stop' ? 1 : targets)
      expectEachOnce(world)
    }
  })

  test('whoever has answered for a wave is not asked about it again', async () => {
    const world = new World()
    const answers = new Map<number, Sent>([[0, 'failed']])
    const asking: RunPolicy = { ...everything, waves: [1, 6, targets], onFailure: 'Pause' }
    await carried(world, asking, answers)
    let asked = 0
    const policy = (): RunPolicy => ({
      ...asking,
      onFailure: world.record.wave === 0 && asked++ < 2 ? 'Continue' : 'Pause',
    })
    const end = carryOut({ ...options(2), policy }, portsOf(world, lives, answers, alone), new AbortController().signal)
    await alone.waitFor(end)
    expect(await end).toMatchObject({ kind: 'finished', reason: 'Done' })
    expect(world.executed).toHaveLength(targets)
  })

  test('more failures than maxFailures: a higher one is the answer', async () => {
    const world = new World()
    const answers = new Map(order.slice(0, 3).map((index): [number, Sent] => [index, 'failed']))
    const asking: RunPolicy = { ...everything, maxFailures: 1, onFailure: 'Pause' }
    expect(await carried(world, asking, answers)).toMatchObject({ kind: 'paused', reason: 'TooManyFailures' })
    expect(world.executed).toHaveLength(2)
    expect(await carried(world, { ...asking, maxFailures: 3 }, answers, 2)).toMatchObject({ reason: 'Done' })
    expectEachOnce(world)
    expectPartition(world.record)
  })

  test('where nothing is left to send there is nothing to ask', async () => {
    const answers = new Map(order.map((index): [number, Sent] => [index, 'failed']))
    const world = new World()
    const asking: RunPolicy = { ...everything, maxFailures: targets - 1, onFailure: 'Pause' }
    expect(await carried(world, asking, answers)).toMatchObject({ kind: 'finished', reason: 'TooManyFailures' })
    const last = new World()
    expect(await carried(last, { ...asking, maxFailures: targets }, answers)).toMatchObject({ reason: 'Done' })
  })

  test.each(['WaveFailed', 'TooManyFailures', 'Suspended'] as const)(
    'the deadline ends what is paused: %s',
    async (reason) => {
      const world = new World()
      const answers = new Map<number, Sent>([[0, 'failed']])
      const policy: RunPolicy = {
        ...{ ...everything, onFailure: 'Pause', waves: [1, targets] },
        maxFailures: reason === 'TooManyFailures' ? 0 : targets,
      }
      world.suspended = reason === 'Suspended'
      expect(await carried(world, policy, answers)).toMatchObject({ kind: 'paused', reason })
      const late = { ...portsOf(world, lives, answers, alone), isExpired: () => true }
      const end = carryOut(options(2, { policy }), late, new AbortController().signal)
      await alone.waitFor(end)
      expect(await end).toMatchObject({ kind: 'finished', reason: 'DeadlineExceeded' })
      expect(world.executed.length).toBeLessThanOrEqual(1)
    },
  )
})
