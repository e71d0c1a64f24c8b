import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { mustRun } from './command.ts'
import { lockFile } from './lock.ts'
import { report } from './progress.ts'

/** One folder outside the tree for everything that is slow to make: `KEELSON_CACHE`, else `~/.cache/keelson`. */
export const cacheDirectory = resolve(process.env['KEELSON_CACHE'] || join(homedir(), '.cache', 'keelson'))

/** The options of an overlay mount are split at these, and mmdebstrap quotes paths for apt by the last. */
const refusedInPath = /[:,\\"]/

/** The key of an entry: a digest of all that its content depends on. */
export function contentKey(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(String(part.length)).update(':').update(part)
  return hash.digest('hex').slice(0, 20)
}

/**
 * The folder of the entry `<kind>-<key>`, built by `build` if it is not there yet.
 *
 * Built beside and renamed in, so a reader never sees half an entry, and by one run at a time for each kind.
 */
export async function cached(
  kind: string,
  key: string,
  build: (directory: string) => Promise<void>,
  directory: string = cacheDirectory,
): Promise<string> {
  const refused = refusedInPath.exec(directory)?.[0]
  if (refused !== undefined)
    throw new Error(`The cache cannot be at ${directory}: an overlay takes no ${refused} in a path. Set KEELSON_CACHE.`)
  const name = `${kind}-${key}`
  const entry = join(directory, name)
  if (existsSync(entry)) return entry
  if (process.env['KEELSON_CAPSULE'] !== undefined)
    throw new Error(`${entry} is missing: it is made before a capsule is entered`)
  await mkdir(directory, { recursive: true })
  const tell = () => report('cache', `waiting for another run that makes a ${kind}`)
  const unlock = await lockFile(join(directory, `.lock-${kind}`), tell)
  try {
    if (!existsSync(entry)) await makeEntry(directory, kind, entry, build)
    return entry
  } finally {
    await unlock()
  }
}

async function makeEntry(
  directory: string,
  kind: string,
  entry: string,
  build: (directory: string) => Promise<void>,
): Promise<void> {
  const prefix = `.building-${kind}.`
  // What a killed run left half-built: whoever holds the lock of the kind is the only one at work there.
  for (const found of await readdir(directory))
    if (found.startsWith(prefix)) await rm(join(directory, found), { recursive: true, force: true })
  const beside = join(directory, `${prefix}${randomUUID()}`)
  await mkdir(beside)
  try {
    await build(beside)
    // Else a crash of the machine could leave an entry whose files are empty, and nothing would ever build it again.
    await mustRun(['sync', '--file-system', beside])
    await rename(beside, entry)
  } finally {
    await rm(beside, { recursive: true, force: true })
  }
}
