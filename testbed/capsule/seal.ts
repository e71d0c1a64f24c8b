import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { cacheDirectory } from '../cache.ts'
import { mustRun } from '../command.ts'

/** What stays writable: private to the capsule, gone with it. */
export const writableMounts = [
  '/run',
  '/tmp',
  '/dev',
  '/dev/pts',
  '/dev/shm',
  '/dev/mqueue',
  '/proc',
  '/proc/sys/net',
  '/sys/fs/cgroup',
]

const mount = (...args: string[]) => mustRun(['mount', ...args])

/**
 * Makes the mounts of a fresh mount namespace those of a sealed box: private /run and /tmp, the cgroup tree of this box alone, the
 * devices of this network namespace, and all else read-only.
 *
 * `remount,bind,ro /` leaves what is mounted below as it was, so each mount is remounted by itself.
 */
export async function seal(): Promise<void> {
  await mustRun(['umount', '--recursive', '/sys/fs/cgroup'])
  await mount('-t', 'sysfs', '-o', 'ro,nosuid,nodev,noexec', 'sysfs', '/sys')
  await mount('-t', 'cgroup2', 'cgroup2', '/sys/fs/cgroup')
  await coverTemporaryFolders()
  for (const path of ['/proc/sys', '/proc/sys/net']) await mount('--bind', path, path)
  const writable = new Set(writableMounts)
  for (const path of await mountPoints())
    // What cannot be reached any more, because something lies over it, cannot be written either.
    if (!writable.has(path)) await mount('-o', 'remount,bind,ro', path).catch(ignoreCovered)
  await mustRun(['ip', 'link', 'set', 'lo', 'up'])
  // Processes may only live in leaves once a subtree is used; what runs here makes subtrees for hosts.
  await mkdir('/sys/fs/cgroup/harness')
  await writeFile('/sys/fs/cgroup/harness/cgroup.procs', String(process.pid))
  await mkdir('/run/keelson/home', { recursive: true })
  // The cache is found by HOME; everything else that writes there gets a private one.
  process.env['KEELSON_CACHE'] = cacheDirectory
  process.env['HOME'] = '/run/keelson/home'
}

/** /run and /tmp become empty tmpfs; what the run needs and lies below them (a clone in /tmp, say) is put back. */
async function coverTemporaryFolders(): Promise<void> {
  const needed = [
    resolve(import.meta.dirname, '../..'),
    cacheDirectory,
    dirname(process.execPath),
    process.env['KEELSON_TESTBED_BIN'] ?? '',
  ]
  const kept = [...new Set(needed)].filter((path) => path.startsWith('/tmp/') || path.startsWith('/run/'))
  const staging = '/mnt'
  if (kept.length > 0) await mount('-t', 'tmpfs', 'tmpfs', staging)
  for (const [index, path] of kept.entries()) {
    await mkdir(join(staging, String(index)))
    await mount('--rbind', path, join(staging, String(index)))
  }
  await mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/run')
  await mount('-t', 'tmpfs', '-o', 'mode=1777', 'tmpfs', '/tmp')
  await mkdir('/run/lock')
  for (const [index, path] of kept.entries()) {
    await mkdir(path, { recursive: true })
    await mount('--rbind', join(staging, String(index)), path)
  }
  if (kept.length > 0) await mustRun(['umount', '--recursive', '--lazy', staging])
}

async function mountPoints(): Promise<string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8')
  return table
    .trimEnd()
    .split('\n')
    .map((line) =>
      line.split(' ')[4]!.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))),
    )
}

function ignoreCovered(error: unknown): void {
  if (!/not mounted|mount point not mounted|not mount point|bad option|No such file/.test(String(error))) throw error
}
