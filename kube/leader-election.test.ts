import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConnectionError } from './errors.ts'
import { runAsLeader } from './leader-election.ts'
import { LeaseWorld, type Delivery, type LeaseProcess } from './testing/lease-world.ts'

// The defaults, in milliseconds.
const lease = 15_000
const renewDeadline = 10_000
const retry = 2_000 * 1.2
/** Requests and answers of a world without faults. */
const slack = 500

async function until(world: LeaseWorld, what: string, condition: () => boolean, withinMs: number): Promise<void> {
  const end = world.now + withinMs
  while (!condition()) {
    if (world.now >= end) throw new Error(`${what}: not within ${withinMs} ms`)
    await world.advance(50)
  }
}

async function ledBy(world: LeaseWorld, process: LeaseProcess, withinMs = retry + slack): Promise<void> {
  await until(world, `${process.name} leads`, () => process.leads, withinMs)
}

describe('in every sequence of delays, losses, outages, pauses and deaths', () => {
  const milliseconds = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 100 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 12_000 }) },
  )
  const delivery: fc.Arbitrary<Delivery> = fc.record({
    there: milliseconds,
    back: milliseconds,
    lost: fc.oneof(
      { weight: 5, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constantFrom('request', 'answer') },
    ),
    silent: fc.boolean(),
  })
  const step = fc.record({
    afterMs: fc.integer({ min: 0, max: 20_000 }),
    process: fc.nat(2),
    do: fc.constantFrom('pause', 'resume', 'resumeLast', 'kill', 'stop', 'start', 'outage', 'recover', 'label'),
  })
  const candidate = fc.record({ rate: fc.double({ min: 0.9, max: 1.1, noNaN: true }), windUpMs: milliseconds })
  const story = fc.record({
    candidates: fc.array(candidate, { minLength: 2, maxLength: 3 }),
    deliveries: fc.array(delivery, { minLength: 1, maxLength: 60 }),
    steps: fc.array(step, { maxLength: 15 }),
  })

  /** What must hold after each event of every story. */
  function watch(world: LeaseWorld): () => void {
    const lastHeld = new Map<LeaseProcess, number>()
    let writes = 0
    let holder: LeaseProcess | undefined
    let released = true
    return () => {
      const leading = world.processes.filter((process) => process.leads)
      expect(leading.length, 'leaders at a time').toBeLessThanOrEqual(1)
      for (; writes < world.writes.length; writes++) {
        const { at, by, spec } = world.writes[writes]!
        // Not only not at the same time: what the last one sent at the very end has time to arrive.
        const taken = by !== holder && holder !== undefined && !released
        const sinceBelief = taken ? at - (lastHeld.get(holder!) ?? Number.NEGATIVE_INFINITY) : Number.POSITIVE_INFINITY
        expect(sinceBelief, 'from the last belief to the takeover').toBeGreaterThan(2_400)
        holder = by
        released = spec?.holderIdentity === ''
      }
      for (const process of leading) lastHeld.set(process, world.now)
    }
  }

  test('never two believe to lead, each term has a higher epoch, and somebody leads again after a death', async () => {
    let terms = 0
    let takeovers = 0
    let lost = 0
    await fc.assert(
      fc.asyncProperty(story, async ({ candidates, deliveries, steps }) => {
        const world = new LeaseWorld()
        let requests = 0
        let faulty = true
        world.deliver = () => (faulty ? deliveries[requests++ % deliveries.length]! : { there: 5, back: 5 })
        world.observe = watch(world)
        const epochs: number[] = []
        const slots = candidates.map((options) => {
          const start = (): LeaseProcess => {
            const process = world.start({
              ...options,
              work: async ({ epoch, signal }) => {
                epochs.push(epoch)
                await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
                if (process.leadership?.isHeld() === false) lost++
                await new Promise<void>((resolve) => process.clock.schedule(options.windUpMs, resolve))
              },
            })
            return process
          }
          return { start, process: start() }
        })
        for (const { afterMs, do: what, process: index } of steps) {
          await world.advance(afterMs)
          const slot = slots[index % slots.length]!
          const { process } = slot
          if (what === 'pause') process.pause()
          else if (what === 'resume') process.resume()
          else if (what === 'resumeLast') process.resume('last-come')
          else if (what === 'kill') process.kill()
          else if (what === 'stop') process.stop()
          else if (what === 'label' && world.lease) {
            const { metadata } = world.lease
            world.lease = { ...world.lease, metadata: { ...metadata, resourceVersion: `${metadata.resourceVersion}+` } }
          } else if (what === 'outage' || what === 'recover') world.down = what === 'outage'
          else if (what === 'start' && (process.state === 'dead' || process.state === 'ended')) {
            slot.process = slot.start()
          }
        }
        faulty = false
        world.down = false
        for (const { process } of slots) process.resume()
        // Who was told to stop has ended then, and no request of before is waited for any more.
        await world.advance(30_000)
        for (const slot of slots) if (slot.process.state !== 'running') slot.process = slot.start()
        const slowest = 1 / 0.9
        await until(world, 'somebody leads', () => world.leader !== undefined, 40_000)
        world.leader!.kill()
        const bound = (lease + retry + slack) * slowest
        await until(world, 'somebody else leads', () => world.leader !== undefined, bound)
        expect(epochs).toEqual([...new Set(epochs)].toSorted((a, b) => a - b))
        expect(world.leader!.leadership!.epoch).toBe(world.lease!.spec!.leaseTransitions)
        terms += epochs.length
        takeovers += world.writes.filter(
          ({ by, spec }, i) => i > 0 && spec?.holderIdentity && by !== world.writes[i - 1]!.by,
        ).length
        for (const process of world.processes) process.kill()
      }),
      { numRuns: 300 },
    )
    // The stories are about something.
    expect(terms).toBeGreaterThan(600)
    expect(takeovers).toBeGreaterThan(300)
    expect(lost).toBeGreaterThan(100)
  })
})

describe('a leader', () => {
  test('counts from the start of its last renewal, and its signal is aborted in time even if it asks nothing', async () => {
    const world = new LeaseWorld()
    const starts: number[] = []
    world.deliver = () => {
      starts.push(world.now)
      return { there: 10, back: 3_000 }
    }
    const process = world.start()
    await until(world, 'some renewals', () => world.writes.length === 5, 60_000)
    const lastWrite = world.writes.at(-1)!.at
    world.down = true
    let abortedAt = 0
    process.leadership!.signal.addEventListener('abort', () => (abortedAt = world.now))
    await until(world, 'the signal is aborted', () => abortedAt > 0, 20_000)
    expect(abortedAt).toBe(lastWrite - 10 + renewDeadline)
    expect(starts).toContain(lastWrite - 10)
    expect(process.leadership!.signal.reason).toMatchObject({ code: 'LeadershipLost' })
    expect(() => process.leadership!.assertHeld()).toThrow('epoch 0: the lease is not ours any more')
  })

  test('that was stopped beyond its time knows it at once, and for good', async () => {
    const world = new LeaseWorld()
    const old = world.start()
    await ledBy(world, old)
    const other = world.start()
    await world.advance(5_000)
    const leadership = old.leadership!
    old.pause()
    await ledBy(world, other, lease + retry + slack)
    // As if it went on with the line after the one where it was stopped, before any timer or answer gets its turn.
    expect(leadership.isHeld()).toBe(false)
    expect(() => leadership.assertHeld()).toThrow('could not be renewed in time')
    old.resume('last-come')
    await world.advance(30_000)
    expect(leadership.isHeld()).toBe(false)
    expect(old.leaderships).toHaveLength(1)
    expect(other.leads).toBe(true)
    expect(other.leadership!.epoch).toBe(1)
    expect(old.holders.at(-1)).toBe(other.name)
  })

  test('is held up by nothing that comes after the deadline: an answer that is late does not bring the term back', async () => {
    const world = new LeaseWorld()
    const process = world.start({ windUpMs: 1_000 })
    await ledBy(world, process)
    await world.advance(1_000)
    // The next renewal is carried out at once; its answer lies there when the process goes on, before the timer that would end the term.
    let slow = true
    world.deliver = () => (slow ? { there: 1, back: 1_000 } : { there: 5, back: 5 })
    await until(world, 'a renewal is on its way', () => world.writes.length === 2, 5_000)
    process.pause()
    slow = false
    const { leadership } = process
    await world.advance(renewDeadline - 500)
    expect(leadership!.isHeld()).toBe(false)
    process.resume()
    await world.advance(20)
    expect(leadership!.isHeld()).toBe(false)
    await ledBy(world, process, 1_000 + retry + slack)
    expect(process.leadership!.epoch).toBe(1)
  })

  test('whose taking is answered too late does not begin', async () => {
    const world = new LeaseWorld()
    let slow = true
    world.deliver = () => (slow ? { there: 5, back: 1_000 } : { there: 5, back: 5 })
    const process = world.start()
    await until(world, 'the lease is taken', () => world.writes.length === 1, 5_000)
    slow = false
    process.pause()
    await world.advance(renewDeadline)
    process.resume()
    await world.advance(20)
    expect(process.leaderships).toEqual([])
    await ledBy(world, process)
    expect(process.leadership!.epoch).toBe(1)
  })

  test('gives way at its next renewal to whoever stands in the Lease, be it under its own name', async () => {
    for (const usurper of [{ holderIdentity: 'usurper' }, { leaseTransitions: 5 }]) {
      const world = new LeaseWorld()
      const process = world.start()
      await ledBy(world, process)
      const { leadership } = process
      world.write({ ...world.lease!.spec, ...usurper })
      await until(world, 'it gives way', () => !leadership!.isHeld(), retry + slack)
      expect(leadership!.signal.reason).toMatchObject({ message: expect.stringContaining('holds it now') as string })
      expect(world.lease!.spec).toMatchObject(usurper)
    }
  })

  test('keeps its term when the answer to a renewal was lost, or somebody labels the Lease', async () => {
    const world = new LeaseWorld()
    const process = world.start()
    await ledBy(world, process)
    world.deliver = () => ({ there: 5, back: 5, lost: 'answer' })
    await until(world, 'an answer is lost', () => process.errors.length === 1, 5_000)
    world.deliver = () => ({ there: 5, back: 5 })
    await world.advance(20_000)
    world.lease = { ...world.lease!, metadata: { ...world.lease!.metadata, resourceVersion: 'labelled' } }
    await world.advance(20_000)
    expect(process.leads).toBe(true)
    expect(process.leaderships).toHaveLength(1)
    expect(process.errors).toMatchObject([{ code: 'ConnectionFailed' }])
  })

  test('whose taking was answered with silence takes anew, with another epoch', async () => {
    const world = new LeaseWorld()
    let requests = 0
    world.deliver = () =>
      ++requests === 2 ? { there: 5, back: 5, lost: 'answer', silent: true } : { there: 5, back: 5 }
    const process = world.start()
    await ledBy(world, process, renewDeadline / 2 + retry + slack)
    expect(process.leadership!.epoch).toBe(1)
    expect(process.errors).toMatchObject([{ code: 'DeadlineExceeded' }])
  })

  test('survives requests that hang: each has half the renew deadline', async () => {
    const world = new LeaseWorld()
    const process = world.start()
    await ledBy(world, process)
    let hangs = true
    world.deliver = () => {
      const fate: Delivery = hangs ? { there: 5, back: 5, lost: 'request', silent: true } : { there: 5, back: 5 }
      hangs = !hangs
      return fate
    }
    await world.advance(120_000)
    expect(process.leads).toBe(true)
    expect(process.leaderships).toHaveLength(1)
    expect(process.errors.length).toBeGreaterThan(10)
  })

  test('is told to stop: the lease is renewed while its work winds up, then given back', async () => {
    const world = new LeaseWorld()
    const process = world.start({ windUpMs: 30_000, stopTimeoutMs: 40_000 })
    await ledBy(world, process)
    const next = world.start()
    const { leadership } = process
    process.stop()
    await world.advance(29_000)
    expect(leadership!.signal.aborted).toBe(true)
    expect(process.leads).toBe(true)
    expect(next.leads).toBe(false)
    await world.advance(1_500)
    expect(process.outcome).toEqual({})
    expect(leadership!.isHeld()).toBe(false)
    expect(world.writes.find(({ spec }) => spec?.holderIdentity === '')).toMatchObject({
      by: process,
      spec: { leaseDurationSeconds: 1, leaseTransitions: 0 },
    })
    await ledBy(world, next)
    expect(next.leadership!.epoch).toBe(1)
    expect(next.holders).toEqual([process.name, '', next.name])
  })

  test('whose work does not stop ends with StopTimeout, leads no more and gives nothing back', async () => {
    const world = new LeaseWorld()
    const process = world.start({ windUpMs: 1e9 })
    await ledBy(world, process)
    process.stop()
    await world.advance(10_000)
    expect(process.outcome).toMatchObject({ error: { code: 'StopTimeout' } })
    expect(process.leadership!.isHeld()).toBe(false)
    const { length } = world.writes
    await world.advance(60_000)
    expect(world.writes.length).toBe(length)
    expect(world.lease!.spec!.holderIdentity).toBe(process.name)
  })

  test('whose work throws gives the lease back and throws that; one whose work is done just ends', async () => {
    for (const failure of [new Error('broken'), undefined]) {
      const world = new LeaseWorld()
      const process = world.start({
        work: async () => {
          if (failure) throw failure
        },
      })
      await until(world, 'it ended', () => process.outcome !== undefined, 5_000)
      expect(process.outcome).toEqual(failure === undefined ? {} : { error: failure })
      expect(world.lease!.spec!.holderIdentity).toBe('')
      expect(process.leaderships).toHaveLength(1)
    }
  })

  test("gives back also when its work ends with its signal's abort, or with the loss", async () => {
    for (const end of ['reason', 'AbortError', 'assertHeld'] as const) {
      const world = new LeaseWorld()
      const process = world.start({
        work: async ({ signal }) => {
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
          if (end === 'AbortError') throw new DOMException('aborted', 'AbortError')
          if (end === 'reason') throw signal.reason
          process.leadership!.assertHeld()
        },
      })
      await ledBy(world, process)
      if (end === 'assertHeld') {
        world.down = true
        await world.advance(renewDeadline + 500)
        world.down = false
        await until(world, 'it leads again', () => process.leadership!.epoch === 1, retry + slack)
      }
      process.stop()
      await world.advance(1_000)
      expect(process.outcome).toEqual({})
      expect(world.lease!.spec!.holderIdentity).toBe('')
    }
  })
})

describe('a candidate', () => {
  test('sees the leader live though the wall clock stands still', async () => {
    const world = new LeaseWorld()
    const process = world.start()
    await ledBy(world, process)
    const other = world.start()
    await world.advance(300_000)
    expect(process.leads).toBe(true)
    expect(other.leaderships).toEqual([])
  })

  test('does not believe times that are written in the Lease: in the past or in the future, it waits as long', async () => {
    for (const renewTime of ['1970-01-01T00:00:00.000000Z', '2999-01-01T00:00:00.000000Z']) {
      const world = new LeaseWorld()
      const spec = { holderIdentity: 'dead', leaseDurationSeconds: 15, acquireTime: renewTime, renewTime }
      world.write({ ...spec, leaseTransitions: 41 })
      const process = world.start()
      await world.advance(lease)
      expect(process.leaderships).toEqual([])
      await ledBy(world, process)
      expect(process.leadership!.epoch).toBe(42)
    }
  })

  test('waits as long as the holder goes by, not as long as itself would', async () => {
    const world = new LeaseWorld()
    world.write({ holderIdentity: 'patient', leaseDurationSeconds: 60, leaseTransitions: 3 })
    const process = world.start()
    await world.advance(60_000)
    expect(process.leaderships).toEqual([])
    await ledBy(world, process)
    expect(process.leadership!.epoch).toBe(4)
  })

  test('does not take a Lease that was deleted under its leader, who comes back with a higher epoch', async () => {
    const world = new LeaseWorld()
    const process = world.start()
    await ledBy(world, process)
    const other = world.start({ random: () => 0 })
    await world.advance(6_000)
    const { leadership } = process
    world.lease = undefined
    await until(world, 'the loss is noticed', () => !leadership!.isHeld(), renewDeadline)
    expect(leadership!.signal.reason).toMatchObject({ message: expect.stringContaining('it was deleted') as string })
    await ledBy(world, process)
    expect(process.leadership!.epoch).toBe(1)
    await world.advance(10_000)
    expect(other.leaderships).toEqual([])
  })

  test('takes one that was deleted together with its leader, when the time of that is over, above its epoch', async () => {
    const world = new LeaseWorld()
    world.write({ holderIdentity: 'dead', leaseDurationSeconds: 15, leaseTransitions: 7 })
    const process = world.start()
    await world.advance(1_000)
    world.lease = undefined
    await world.advance(lease)
    expect(process.leaderships).toEqual([])
    await ledBy(world, process)
    expect(process.leadership!.epoch).toBe(8)
  })

  test('that is told to stop while it takes gives back and does no work', async () => {
    const world = new LeaseWorld()
    world.deliver = () => ({ there: 5, back: 1_000 })
    const process = world.start()
    await until(world, 'the lease is taken', () => world.writes.length === 1, 5_000)
    process.stop()
    await world.advance(5_000)
    expect(process.outcome).toEqual({})
    expect(process.leaderships).toEqual([])
    expect(world.lease!.spec!.holderIdentity).toBe('')
  })

  test('goes on whatever the API server says, and whatever its listeners throw', async () => {
    const world = new LeaseWorld()
    world.down = true
    let told = 0
    const process = world.start({
      onError: () => {
        told++
        throw new Error('broken logger')
      },
      onHolder: () => {
        throw new Error('broken logger')
      },
    })
    await world.advance(60_000)
    expect(told).toBeGreaterThan(20)
    world.down = false
    await ledBy(world, process)
    process.stop()
    await world.advance(1_000)
    expect(process.outcome).toEqual({})
  })

  test('leaves no listener on the signal that it shares with the rest of the process', async () => {
    const world = new LeaseWorld()
    const process = world.start()
    await ledBy(world, process)
    const other = world.start()
    await world.advance(600_000)
    expect([process.listeners, other.listeners]).toEqual([1, 1])
  })

  test('refuses times that would let two lead', async () => {
    const client = { get: expect.unreachable, create: expect.unreachable, update: expect.unreachable } as never
    const options = { client, lease: { namespace: 'default', name: 'leader' } }
    for (const times of [{ leaseMs: 10_000 }, { renewDeadlineMs: 2_400 }, { retryMs: 0 }, { leaseMs: Number.NaN }]) {
      const refused = runAsLeader({ ...options, ...times }, async () => {}, new AbortController().signal)
      await expect(refused).rejects.toMatchObject({ code: 'LeaseTimesRefused' })
    }
  })
})

test('metrics tell who leads', async () => {
  const world = new LeaseWorld()
  const values: number[] = []
  const metrics = {
    add: () => {},
    observe: () => {},
    set: (name: string, labels: object, value: number) => {
      expect({ name, labels }).toEqual({ name: 'leader_election_master_status', labels: { name: 'leader' } })
      values.push(value)
    },
  }
  const process = world.start({ metrics })
  await ledBy(world, process)
  expect(values).toEqual([0, 1])
  process.stop()
  await world.advance(1_000)
  expect(values).toEqual([0, 1, 0])
  expect(process.errors.filter((error) => !(error instanceof ConnectionError))).toEqual([])
})
