import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../deadline.ts'

/** The cgroup v2 hierarchy: mounted alone, or beside v1 under `unified` (systemd's hybrid layout). */
export function cgroupRoot(): string {
  for (const root of ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'])
    if (existsSync(join(root, 'cgroup.procs'))) return root
  throw new Error('No cgroup v2 hierarchy is mounted: the test world needs one to account for its processes')
}

/**
 * Calls `spawn` as a member of the cgroup, so that the child is born in it, and goes back. Synchronous throughout: nothing else of this
 * process can run in between.
 */
export function spawnIn<T>(directory: string, spawn: () => T): T {
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/'
  writeFileSync(join(directory, 'cgroup.procs'), String(process.pid))
  try {
    return spawn()
  } finally {
    writeFileSync(join(cgroupRoot(), own, 'cgroup.procs'), String(process.pid))
  }
}

export async function makeCgroup(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
}

async function isPopulated(directory: string): Promise<boolean> {
  const events = await readFile(join(directory, 'cgroup.events'), 'utf8').catch(() => '')
  return events.includes('populated 1')
}

async function removeTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true }))
    if (entry.isDirectory()) await removeTree(join(directory, entry.name))
  await rmdir(directory)
}

/**
 * Ends every process in the cgroup (cgroup.kill, Linux 5.14) and removes its folders.
 *
 * @throws DeadlineError if they are still there after ten seconds.
 */
export async function destroyCgroup(directory: string): Promise<void> {
  const isGone = async () => {
    if (!existsSync(directory)) return true
    if (await isPopulated(directory)) await writeFile(join(directory, 'cgroup.kill'), '1').catch(() => {})
    else await removeTree(directory).catch(() => {})
    return !existsSync(directory)
  }
  await eventually(`${directory} is gone`, isGone, 10_000, 20)
}
