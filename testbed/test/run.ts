import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { Capsule } from '../capsule/capsule.ts'
import { prepareInstallation } from '../cluster/install.ts'
import { dyingWithStarter } from '../command.ts'
import { programs } from '../programs/programs.ts'
import { prepareWorld } from '../world/prepare.ts'
import type { Counts } from './reporter.ts'

/**
 * Runs the suites, prints the time of each and closes with the sums.
 *
 * Arguments: names of suites, for only those; TEST in the environment narrows them to files whose path holds it. A suite is a vitest
 * project (vitest.config.ts) but for `check`, which is `make check`.
 */
const tree = resolve(import.meta.dirname, '../..')

const nothing: Counts = { passed: 0, failed: 0, skipped: 0, retried: 0 }

const vitest = join(tree, 'node_modules/vitest/vitest.mjs')

function vitestArguments(suite: string): string[] {
  return [
    'run',
    '--configLoader=native',
    '--root',
    tree,
    '--project',
    suite,
    '--reporter=default',
    `--reporter=${join(import.meta.dirname, 'reporter.ts')}`,
    ...(process.env['TEST'] ? [process.env['TEST']] : []),
  ]
}

/** A suite that ends without saying its counts, or with a bad exit code though all seemed well, has failed. */
function judge(counts: Counts | undefined, exitCode: number): Counts {
  if (counts === undefined) return { ...nothing, failed: 1 }
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}

async function runHere(suite: string): Promise<Counts> {
  let counts: Counts | undefined
  const [program, ...args] = [...dyingWithStarter, process.execPath, vitest, ...vitestArguments(suite)]
  const child = spawn(program, args, { cwd: tree, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  child.on('message', (message: { counts?: Counts }) => (counts = message.counts ?? counts))
  const [exitCode] = (await once(child, 'exit')) as [number | null]
  return judge(counts, exitCode ?? 137)
}

async function runInCapsule(suite: string, env: Environment): Promise<Counts> {
  let counts: Counts | undefined
  const onMessage = (message: unknown) => {
    counts = (message as { counts?: Counts }).counts ?? counts
  }
  await using capsule = await Capsule.start({ module: vitest, args: vitestArguments(suite), env, onMessage })
  const exitCode = await capsule.ended
  return judge(counts, exitCode)
}

async function runCheck(): Promise<Counts> {
  const [program, ...args] = [...dyingWithStarter, process.execPath, join(tree, 'toolchain/check.ts')]
  const child = spawn(program, args, { stdio: 'inherit', cwd: tree })
  const [exitCode] = (await once(child, 'exit')) as [number | null]
  return exitCode === 0 ? { ...nothing, passed: 1 } : { ...nothing, failed: 1 }
}

type Environment = Readonly<Record<string, string>>
type Suite = {
  /** Makes what is slow to make, minutes when the cache is empty; gives the environment by which a capsule finds it. */
  readonly prepare?: () => Promise<Environment>
  readonly run: (suite: string, env: Environment) => Promise<Counts>
}

/** The tests of the chart render and install it. */
async function prepareWorldAndHelm(): Promise<Environment> {
  await programs('helm')
  return prepareWorld()
}

const suites: Readonly<Record<string, Suite>> = {
  check: { run: runCheck },
  unit: { run: runHere },
  cluster: { prepare: prepareWorldAndHelm, run: runInCapsule },
  browser: { prepare: prepareWorld, run: runHere },
  hosts: { prepare: prepareWorld, run: runInCapsule },
  kubeadm: { prepare: prepareInstallation, run: runInCapsule },
  machine: { prepare: prepareWorld, run: runHere },
}

/**
 * One after another, and in each the rows beside each other: those with hosts wait more than they work. The kernel's inotify instances suffice for the hosts of
 * one suite at a time, and `machine` looks at all that is on the machine, so nothing else may come and go then.
 */
const stages: readonly (readonly (readonly string[])[])[] = [
  [['check']],
  [
    ['unit', 'cluster', 'browser'],
    ['hosts', 'kubeadm'],
  ],
  [['machine']],
]

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => suites[name] === undefined)
if (unknown.length > 0) throw new Error(`no suite ${unknown.join(', ')}; there are ${Object.keys(suites).join(', ')}`)
const names = wanted.length > 0 ? wanted : Object.keys(suites)

const start = performance.now()
const seconds = (from: number) => `${((performance.now() - from) / 1_000).toFixed(1)} s`
const rows: string[] = []
const total: Record<keyof Counts, number> = { ...nothing }
const prepared = new Map<Suite['prepare'], Environment>([[undefined, {}]])
for (const { prepare } of names.map((name) => suites[name]!))
  if (prepare !== undefined && !prepared.has(prepare)) prepared.set(prepare, await prepare())
rows.push(`prepared in ${seconds(start)}`)

async function runSuite(name: string): Promise<void> {
  const began = performance.now()
  console.log(`\n[test] ${name}`)
  const { prepare, run } = suites[name]!
  const counts = await run(name, prepared.get(prepare)!)
  for (const key of Object.keys(total) as (keyof Counts)[]) total[key] += counts[key]
  const row = `${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped, ${counts.retried} retried in ${seconds(began)}`
  console.log(`\n[test] ${row}`)
  rows.push(row)
}

async function runInOrder(suitesOfRow: readonly string[]): Promise<void> {
  for (const name of suitesOfRow) if (names.includes(name)) await runSuite(name)
}

for (const stage of stages) await Promise.all(stage.map((row) => runInOrder(row)))
console.log(`\n${rows.map((row) => `[test] ${row}`).join('\n')}\n[test] all in ${seconds(start)}\n`)
// No test may be left out or be given a second chance unseen.
const bad = total.failed + total.skipped + total.retried
console.log(`${total.passed} passed, ${bad} failed`)
process.exitCode = bad === 0 && total.passed > 0 ? 0 : 1
