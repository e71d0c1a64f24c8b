import { setTimeout as sleep } from 'node:timers/promises'
import type { HostRequestStatus } from '@keelson/api'
import { describe, expect, test } from 'vitest'
import { Relay } from '../control-plane/relay.ts'
import { eventually } from '../deadline.ts'
import { CountedUnit } from '../world/counted-unit.ts'
import { PlainReceivers } from '../world/plain-receivers.ts'
import type { Requests } from '../world/requests.ts'
import { sharedWorld } from '../world/shared-world.ts'
import type { World } from '../world/world.ts'

let world: World
let requests: Requests
let relay: Relay
let receivers: PlainReceivers
let unit: CountedUnit
sharedWorld({ hosts: 6 }, async (shared) => {
  ;({ world, requests } = shared)
  unit = await CountedUnit.install(world.lab.hosts)
  relay = world.own(await Relay.start(world.cluster.server))
  receivers = world.own(await PlainReceivers.start(world.client, 20))
  await world.stopOperator()
  await world.startOperator(relay.url)
})

/** mulberry32: small, and the same everywhere for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Where the operator is killed: held there from outside, or wherever it happens to be. */
const moments = ['claim written, not a byte sent', 'all answered, not committed', 'one under way', 'any'] as const
type Moment = (typeof moments)[number]

type Point = { readonly path: string; readonly moment: Moment; readonly windows: readonly number[] }

/** Holds the run at the moment, and comes back when it is there. */
async function reach({ path, moment, windows }: Point): Promise<void> {
  const pick = (from: readonly number[]) => from[Math.floor(random() * from.length)]!
  const came = (number: number) =>
    eventually(`${path} has come ${number} times`, () => receivers.received(path).length >= number)
  switch (moment) {
    case 'claim written, not a byte sent': {
      // One PUT commits a window and claims the next: it gets through, and its answer does not.
      const end = pick(windows.slice(0, -1))
      receivers.holdFrom(path, end)
      await start(path, windows)
      await came(end)
      relay.hold('answers')
      receivers.release(path)
      await eventually('the next window is claimed', async () => {
        const { status } = await requests.get(path.slice(1))
        return indices(status?.run.claim ?? '').includes(end)
      })
      break
    }
    case 'all answered, not committed': {
      const end = pick(windows)
      receivers.holdFrom(path, end)
      await start(path, windows)
      await came(end)
      relay.hold('requests')
      receivers.release(path)
      await eventually('the commit is on its way', () => relay.heldBytes > 0 && allAnswered(path))
      break
    }
    case 'one under way': {
      const number = 1 + Math.floor(random() * 20)
      receivers.holdFrom(path, number)
      await start(path, windows)
      await came(number)
      break
    }
    case 'any':
      await start(path, windows)
      await sleep(random() * 100)
  }
}

const allAnswered = (path: string) => receivers.received(path).every(({ answered }) => answered)

/** Agents and plain receivers at once: a request each. */
async function start(path: string, windows: readonly number[]): Promise<void> {
  await requests.apply(`agents-${path.slice(1)}`, unit.restart(world.lab.hosts.map(({ name }) => name)))
  await requests.apply(path.slice(1), { ...receivers.post(path), parallelism: windows.length === 3 ? 1 : 2 })
}

/** `0-2,5` as numbers. */
function indices(set: string): number[] {
  return set.split(',').flatMap((range) => {
    if (range === '') return []
    const [from = 0, to = from] = range.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, index) => from + index)
  })
}

/** What the record has claimed and not committed. */
function openClaim(status: HostRequestStatus | undefined): number[] {
  if (status === undefined) return []
  const settled = [status.succeeded, status.failed, status.unknown, status.skipped].flatMap(indices)
  return indices(status.run.claim).filter((index) => !settled.includes(index))
}

/** Looks from outside at how far the run of the plain receivers was. */
function seen(path: string, open: readonly number[]): string {
  const came = receivers.received(path).filter(({ host }) => open.includes(receivers.names.indexOf(host)))
  if (open.length === 0) return 'nothing claimed'
  if (came.length === 0) return 'between claim and first byte'
  if (came.length === open.length && came.every(({ answered }) => answered)) return 'between last byte and commit'
  return 'between first and last byte'
}

const seed = Number(process.env['KEELSON_SEED'] ?? Math.floor(Math.random() * 1e9))
const random = randomOf(seed)
const points = Array.from({ length: 20 }, (_, number): Point => {
  // A window is eight times the parallelism.
  const windows = random() < 0.5 ? [8, 16, 20] : [16, 20]
  return { path: `/run-${number}`, moment: moments[number % moments.length]!, windows }
})
/** Where the operator was killed in truth. */
const killed: string[] = []
let unknown = 0

describe(`killed by SIGKILL, KEELSON_SEED=${seed}: no host is lost, none gets its request twice, and unknown is what nobody can know`, () => {
  test.each(points)('$path, $moment', async (point) => {
    const name = point.path.slice(1)
    await unit.reset()
    await reach(point)
    await world.stopOperator('SIGKILL')
    relay.cut()
    receivers.release(point.path)
    await eventually('no connection is left', () => receivers.open === 0)
    const { status: left } = await requests.get(name)
    const open = openClaim(left)
    killed.push(seen(point.path, open))
    console.log(`${name}: killed ${killed.at(-1)}, claimed and not committed: ${open.length}`)

    await world.startOperator(relay.url)
    const { status } = await requests.finished(name, 1)
    const [succeeded, lost] = [indices(status!.succeeded), indices(status!.unknown)]
    expect([...succeeded, ...lost].toSorted((a, b) => a - b)).toEqual([...receivers.names.keys()])
    expect(lost).toEqual(open)
    unknown += lost.length
    const received = receivers.received(point.path)
    const hosts = received.map(({ host }) => receivers.names.indexOf(host))
    expect(new Set(hosts).size).toBe(hosts.length)
    expect(hosts).toEqual(expect.arrayContaining(succeeded))
    expect(new Set(received.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(hosts.length)

    const agents = await requests.finished(`agents-${name}`, 1)
    expect(agents.status).toMatchObject({ state: 'SUCCESS', progress: '6/6' })
    expect(Object.values(await unit.starts())).toEqual([1, 1, 1, 1, 1, 1])
  })

  test('the points were where they had to be', () => {
    const count = (where: string) => killed.filter((point) => point === where).length
    expect(count('between claim and first byte')).toBeGreaterThanOrEqual(5)
    expect(count('between last byte and commit')).toBeGreaterThanOrEqual(5)
    expect(unknown).toBeGreaterThan(0)
  })
})
