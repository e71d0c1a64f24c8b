import { join } from 'node:path'
import { bundleModule } from '@keelson/cli/bundle'
import { report } from '../progress.ts'
import { BenchWorld } from './bench-world.ts'
import type { Fleet } from './fleet.ts'
import type { Loop } from './loop.ts'
import { measureConsole } from './console/measure-console.ts'
import { memberOf, members } from './member.ts'
import { median, quantile, result, type Result } from './result.ts'
import { parallelism, Runs } from './runs.ts'
import { peakMemory, Subprocess } from './subprocess.ts'

export type MeasureOptions = {
  /** Simulated hosts; a tenth of them is the small fleet. */
  readonly hosts: number
  /** How often the large runs are repeated, the loop and the operator in turn; once more before, to warm both up. */
  readonly pairs: number
  /** How often the three hosts get a request. */
  readonly small: number
  /** Folder of the console's built pages; empty: they are not measured. */
  readonly pages: string
}

const peer = 'bare undici loop'
const few = 3

/** Everything in turn in one world, so that each figure has its peer from the same minutes of the same machine. */
export async function measure({ hosts, pairs, small, pages }: MeasureOptions): Promise<Result[]> {
  await using world = await BenchWorld.start()
  report('bench', `making the certificates of ${hosts} hosts`)
  await using fleet = new Subprocess<Fleet>(join(import.meta.dirname, 'fleet.ts'), [
    world.cluster.directory,
    `${hosts}`,
  ])
  const certificates = await world.certificates(fleet)
  await fleet.ask('listen')

  await world.addNodes(members(few), () => false)
  await world.startOperator(certificates)
  using runs = new Runs(world.client)
  await Promise.all([runs.synced(), world.policyInForce, world.hostsSay('AgentAnswers', few)])
  report('bench', `${few} hosts, ${small} requests`)
  const latencies = await createdToFirstRequest(runs, fleet, small)

  report('bench', `registering ${hosts} hosts`)
  await world.addNodes(members(hosts).slice(few), ({ name }) => name < memberOf(few + hosts / 10).name)
  await world.hostsSay('AgentAnswers', hosts)

  // One file like the operator, so that neither process holds the sources of modules.
  const loopModule = join(world.cluster.directory, 'loop.mjs')
  await bundleModule(join(import.meta.dirname, 'loop.ts'), loopModule)
  await using loop = new Subprocess<Loop>(loopModule, [certificates, `${hosts}`, `${parallelism}`])
  const times = await compare({ runs, fleet, loop, pairs })
  const writes = await world.statusWrites(times.names)
  const [operatorPeak, loopPeak] = await Promise.all([world.operatorPid, loop.pid].map(peakMemory))

  // It would write over what is changed now.
  await world.stopOperator()
  const names = members(hosts).map(({ name }) => name)
  const inBrowser = pages === '' ? [] : await measureConsole(world, { hosts: names, pages, pairs })

  const ms = (name: string, values: readonly number[]) => result(name, median(values), 'ms')
  const ratio = (name: string, values: readonly number[], limit: number, to: string) =>
    result(name, median(values), '×', { limit, peer: to })
  const pairwise = (ours: readonly number[], theirs: readonly number[]) =>
    ours.map((value, index) => value / theirs[index]!)
  return [
    ms(`${peer}, cold`, times.loopCold),
    ms(`${peer}, warm`, times.loopWarm),
    ms('run, cold: creation to SUCCESS', times.cold),
    ms('run, warm: creation to SUCCESS', times.warm),
    ms('run, sessions resumed: creation to SUCCESS', times.resumed),
    ms('run, warm, a tenth of the hosts', times.part),
    ratio('cold', pairwise(times.cold, times.loopCold), 1.1, peer),
    ratio('warm', pairwise(times.warm, times.loopWarm), 1.5, peer),
    ratio('sessions resumed', pairwise(times.resumed, times.cold), 0.75, 'run, cold'),
    ratio('ten times the hosts', pairwise(times.warm, times.part), 11, 'run, warm, a tenth of the hosts'),
    result('status writes of a run', Math.max(...writes), 'writes', { limit: 12 }),
    result('peak memory of the operator', operatorPeak!, 'MiB'),
    result(`peak memory of the ${peer}`, loopPeak!, 'MiB'),
    result('peak memory', operatorPeak! / loopPeak!, '×', { limit: 1, peer }),
    result(`${few} hosts: creation to first request, p50`, quantile(latencies, 0.5), 'ms'),
    result(`${few} hosts: creation to first request, p99`, quantile(latencies, 0.99), 'ms'),
    ...inBrowser,
  ]
}

async function createdToFirstRequest(runs: Runs, fleet: Subprocess<Fleet>, times: number): Promise<number[]> {
  const names = members(few).map(({ name }) => name)
  // The first ones find neither connections nor compiled code.
  for (let warming = 0; warming < 5; warming += 1) await runs.post(names)
  const latencies: number[] = []
  while (latencies.length < times) {
    await fleet.ask('take')
    const { created } = await runs.post(names)
    const { firstRequest } = await fleet.ask('take')
    latencies.push(Number(firstRequest! - created) / 1e6)
  }
  return latencies
}

type Comparison = {
  readonly runs: Runs
  readonly fleet: Subprocess<Fleet>
  readonly loop: Subprocess<Loop>
  readonly pairs: number
}

type Times = Readonly<Record<'loopCold' | 'loopWarm' | 'cold' | 'warm' | 'resumed' | 'part', number[]>> & {
  /** Names of the large runs. */
  readonly names: string[]
}

/** How often in each pair the warm ones are repeated, in turn: each lasts a fraction of a second, and one alone says little. */
const warmRounds = 5

/**
 * One pair more than asked for: the first is left out, since in it both compile what they run. Within a pair who begins alternates: a machine
 * that becomes slower or faster favours neither.
 */
async function compare({ runs, fleet, loop, pairs }: Comparison): Promise<Times> {
  const noTimes = (): Times => ({ loopCold: [], loopWarm: [], cold: [], warm: [], resumed: [], part: [], names: [] })
  let times = noTimes()
  const take = async (what: string, into: number[], milliseconds: number) => {
    const { requests, connections, resumed } = await fleet.ask('take')
    const counts = `${requests} writes, ${connections} connections, ${resumed} resumed`
    report('bench', `${what}: ${Math.round(milliseconds)} ms; ${counts}`)
    into.push(milliseconds)
  }
  const theirs = async (what: string, into: number[]) => take(`loop, ${what}`, into, await loop.ask('send'))
  const ours = async (what: string, into: number[], to: 'all' | 'part' = 'all') => {
    const { name, milliseconds } = await runs.post(to)
    if (to === 'all') times.names.push(name)
    await take(`run, ${what}`, into, milliseconds)
  }
  const inTurn = async (turn: number, one: () => Promise<void>, other: () => Promise<void>) => {
    for (const side of turn % 2 === 0 ? [one, other] : [other, one]) await side()
  }
  for (let pair = 0; pair <= pairs; pair += 1) {
    report('bench', pair === 0 ? 'a pair that does not count' : `pair ${pair} of ${pairs}`)
    await fleet.ask('closeConnections')
    await fleet.ask('forgetSessions')
    await fleet.ask('take')
    const { loopCold, loopWarm, cold, warm, part, resumed } = times
    await inTurn(
      pair,
      () => theirs('cold', loopCold),
      () => ours('cold', cold),
    )
    for (let round = 0; round < warmRounds; round += 1) {
      await inTurn(
        pair + round,
        () => theirs('warm', loopWarm),
        () => ours('warm', warm),
      )
      await ours('warm, a tenth', part, 'part')
    }
    await fleet.ask('closeConnections')
    await ours('sessions resumed', resumed)
    if (pair === 0) times = noTimes()
  }
  return times
}
