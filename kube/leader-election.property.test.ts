import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LeaseWorld, type Delivery, type LeaseProcess } from './testing/lease-world.ts'

// The defaults, in milliseconds.
const lease = 15_000
const retry = 2_000 * 1.2
/** Requests and answers of a world without faults. */
const slack = 500

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
        await world.until('somebody leads', () => world.leader !== undefined, 40_000)
        world.leader!.kill()
        const bound = (lease + retry + slack) * slowest
        await world.until('somebody else leads', () => world.leader !== undefined, bound)
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
