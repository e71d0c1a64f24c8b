import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Capsule } from '../capsule/capsule.ts'
import { controlPlaneBinaries } from '../control-plane/binaries.ts'
import { report } from '../progress.ts'
import { consolePages } from '../world/console-pages.ts'
import { table, type Result } from './result.ts'

/**
 * `make bench`: the machine's side. Measures in a capsule, prints a table and writes `.bench/results.json`; exit 1 where a limit does not hold.
 *
 * Arguments: `--output` is another folder than `.bench`; `--hosts`, `--pairs` and `--small` (see measure.ts) make it shorter, and say less;
 * `--no-console` leaves the console's page out.
 */
const { values } = parseArgs({
  options: {
    output: { type: 'string', default: resolve(import.meta.dirname, '../../.bench') },
    hosts: { type: 'string', default: '5000' },
    pairs: { type: 'string', default: '5' },
    small: { type: 'string', default: '300' },
    console: { type: 'boolean', default: true },
  },
  allowNegative: true,
})
const { output, hosts, pairs, small } = values
/** On two cores it takes some seven minutes. */
const limitMs = 20 * 60_000

const [pages] = await Promise.all([consolePages(), controlPlaneBinaries()])
let results: readonly Result[] | undefined
await using capsule = await Capsule.start({
  module: join(import.meta.dirname, 'inside.ts'),
  args: [hosts, pairs, small, values.console ? pages : ''],
  onMessage: (message) => {
    results = (message as { results?: readonly Result[] }).results ?? results
  },
})
const ended = await Promise.race([capsule.ended, sleep(limitMs, 'late' as const, { ref: false })])
if (ended === 'late') report('bench', `not done within ${limitMs / 60_000} minutes`)
if (results === undefined) process.exitCode = 1
else {
  await mkdir(output, { recursive: true })
  await writeFile(join(output, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  console.log(`\n${table(results)}\n\nwritten to ${join(output, 'results.json')}`)
  process.exitCode = results.every(({ holds }) => holds !== false) ? 0 : 1
}
