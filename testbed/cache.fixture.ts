import { appendFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cached } from './cache.ts'
import { eventually } from './deadline.ts'
import { existsSync } from 'node:fs'

/**
 * Asks a cache for one entry and prints its folder. The build writes itself down in a log, half-builds, and goes on once a file is there.
 *
 * Arguments: the cache, the log, the file to wait for.
 */
const [, , directory, log, gate] = process.argv
const entry = await cached(
  'thing',
  'key',
  async (beside) => {
    await writeFile(join(beside, 'half'), '')
    appendFileSync(log!, `${process.pid}\n`)
    await eventually('the gate is open', () => existsSync(gate!), 60_000, 10)
    await writeFile(join(beside, 'whole'), '')
  },
  directory,
)
console.log(entry)
