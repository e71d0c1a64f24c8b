import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { mustRun } from '../command.ts'
import { Capsule } from './capsule.ts'

/**
 * A starter of a capsule, for tests that kill it or that have it in another place: prints each message of the program inside as a line of
 * JSON and ends as the capsule ends. Arguments: those of the probe, after `--mount FOLDER…`, each of which gets a tmpfs before.
 */
const { values, positionals } = parseArgs({
  options: { mount: { type: 'string', multiple: true, default: [] } },
  allowPositionals: true,
})
for (const folder of values.mount) {
  await mkdir(folder, { recursive: true })
  await mustRun(['mount', '-t', 'tmpfs', 'tmpfs', folder])
}
console.log(JSON.stringify({ starting: true }))
await using capsule = await Capsule.start({
  module: join(import.meta.dirname, 'probe.fixture.ts'),
  args: positionals,
  onMessage: (message) => console.log(JSON.stringify(message)),
})
process.exitCode = await capsule.ended
