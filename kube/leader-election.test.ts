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

async function ledBy(world: LeaseWorld, process: LeaseProcess, withinMs = retry + slack): Promise<void> {
  await world.until(`${process.name} leads`, () => process.leads, withinMs)
}

describe('a leader', () => {
  test('counts from the start of its last renewal, and its signal is aborted in time even if it asks nothing', async () => {
    const world = new LeaseWorld()
    const starts: number[] = []
    world.deliver = () => {
      starts.push(world.now)
      return { there: 10, back: 3_000 }
    }
    const process = world.start()
    await world.until('some renewals', () => world.writes.length === 5, 60_000)
    const lastWrite = world.writes.at(-1)!.at
    world.down = true
    let abortedAt = 0
    process.leadership!.signal.addEventListener('abort', () => (abortedAt = world.now))
    await world.until('the signal is aborted', () => abortedAt > 0, 20_000)
    expect(abortedAt).toBe(lastWrite - 10 + renewDeadline)
    expect(starts).toContain(lastWrite - 10)
    expect(process.leadership!.signal.reason).toMatchObject({ code: 'LeadershipLost' })
    expect(() => process.leadership!.assertHeld()).toThrow('epoch 0: the lease is not ours any more')
  })

  test('begins its terms above an epoch that it is told of', async () => {
    const world = new LeaseWorld()
    let above = 41
    const process = world.start({ epochAbove: () => above })
    await ledBy(world, process)
    expect(process.leadership!.epoch).toBe(42)
    expect(world.lease!.spec).toMatchObject({ leaseTransitions: 42 })
    above = 7
    world.write({ ...world.lease!.spec, holderIdentity: 'usurper' })
    await world.until('it gives way', () => !process.leads, retry + slack)
    world.write({ ...world.lease!.spec, holderIdentity: '' })
    await ledBy(world, process)
    expect(process.leadership!.epoch).toBe(43)
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
    await world.until('a renewal is on its way', () => world.writes.length === 2, 5_000)
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
    await world.until('the lease is taken', () => world.writes.length === 1, 5_000)
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
      await world.until('it gives way', () => !leadership!.isHeld(), retry + slack)
      expect(leadership!.signal.reason).toMatchObject({ message: expect.stringContaining('holds it now') as string })
      expect(world.lease!.spec).toMatchObject(usurper)
    }
  })

  test('keeps its term when the answer to a renewal was lost, or somebody labels the Lease', async () => {
    const world = new LeaseWorld()
    const process = world.start()
    await ledBy(world, process)
    world.deliver = () => ({ there: 5, back: 5, lost: 'answer' })
    await world.until('an answer is lost', () => process.errors.length === 1, 5_000)
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
      await world.until('it ended', () => process.outcome !== undefined, 5_000)
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
        await world.until('it leads again', () => process.leadership!.epoch === 1, retry + slack)
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
    await world.until('the loss is noticed', () => !leadership!.isHeld(), renewDeadline)
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
    await world.until('the lease is taken', () => world.writes.length === 1, 5_000)
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
