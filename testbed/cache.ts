import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** One folder outside the tree for everything that is slow to make: `KEELSON_CACHE`, else `~/.cache/keelson`. */
export const cacheDirectory = process.env['KEELSON_CACHE'] || join(homedir(), '.cache', 'keelson')

/** The key of an entry: a digest of all that its content depends on. */
export function contentKey(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(String(part.length)).update(':').update(part)
  return hash.digest('hex').slice(0, 20)
}

/**
 * The folder of the entry `<kind>-<key>`, built by `build` if it is not there yet.
 *
 * Built beside and renamed in, so a reader never sees half an entry. The lock only spares two runs the same work: were it ever stolen
 * wrongly, both would build and one of the two equal results would win the rename.
 */
export async function cached(
  kind: string,
  key: string,
  build: (directory: string) => Promise<void>,
  directory: string = cacheDirectory,
): Promise<string> {
  const name = `${kind}-${key}`
  const entry = join(directory, name)
  if (existsSync(entry)) return entry
  if (process.env['KEELSON_CAPSULE'] !== undefined)
    throw new Error(`${entry} is missing: it is made before a capsule is entered`)
  await mkdir(directory, { recursive: true })
  const unlock = await lock(join(directory, `.lock-${name}`), () => existsSync(entry))
  try {
    if (existsSync(entry)) return entry
    await removeAbandoned(directory, name)
    const beside = join(directory, `.building-${name}-${randomUUID()}`)
    await mkdir(beside)
    try {
      await build(beside)
      await rename(beside, entry).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
      })
    } finally {
      await rm(beside, { recursive: true, force: true })
    }
    return entry
  } finally {
    await unlock()
  }
}

/** What a killed run left half-built. Only the holder of the lock calls this, so nobody is still at work there. */
async function removeAbandoned(directory: string, name: string): Promise<void> {
  for (const found of await readdir(directory))
    if (found.startsWith(`.building-${name}-`)) await rm(join(directory, found), { recursive: true, force: true })
}

/** Start time of a process in clock ticks since boot, proc_pid_stat(5): with it a pid names one process for ever. */
export async function processStart(pid: number | 'self'): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}

async function lock(path: string, done: () => boolean): Promise<() => Promise<void>> {
  const own = `${process.pid} ${await processStart('self')} ${randomUUID()}`
  for (;;) {
    try {
      const file = await open(path, 'wx')
      await file.writeFile(own)
      await file.close()
      return async () => {
        if ((await readFile(path, 'utf8').catch(() => '')) === own) await rm(path, { force: true })
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (done()) return async () => {}
    const holder = await readFile(path, 'utf8').catch(() => '')
    const [pid, start] = holder.split(' ')
    // An empty file is a holder between open and write; it gets a moment.
    if (holder === '') await sleep(200)
    const again = await readFile(path, 'utf8').catch(() => '')
    if (again === holder && (holder === '' || (await processStart(Number(pid))) !== start))
      await rm(path, { force: true })
    else await sleep(500)
  }
}
