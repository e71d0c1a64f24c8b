import { access, constants, mkdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { cacheDirectory } from '../cache.ts'
import { mustRun } from '../command.ts'

/** What stays writable: private to the capsule, gone with it. */
export const writableMounts = [
  '/run',
  '/tmp',
  '/dev',
  '/dev/pts',
  '/dev/shm',
  '/proc',
  '/proc/sys/net',
  '/sys/fs/cgroup',
]

/** Parts of /proc by which a process acts on the whole machine: a `b` in sysrq-trigger boots it. */
const kernelWide = [
  '/proc/sys',
  '/proc/sysrq-trigger',
  '/proc/irq',
  '/proc/bus',
  '/proc/fs',
  '/proc/acpi',
  '/proc/mtrr',
]

/** A folder that every machine has, to put a mount together before it is moved to its place. */
const staging = '/mnt'

const tree = resolve(import.meta.dirname, '../..')

/** Absolute, as the working directory changes here. */
const binaries = process.env['KEELSON_TESTBED_BIN'] ? resolve(process.env['KEELSON_TESTBED_BIN']) : ''

// Its own table of mounts in /run could not be written any more.
const mount = (...args: string[]) => mustRun(['mount', '--no-mtab', ...args])

/**
 * Makes the mounts of a fresh mount namespace those of a sealed box: private /run, /tmp and /dev, the cgroup tree of this box alone, the
 * devices of this network namespace, and all else read-only.
 */
export async function seal(): Promise<void> {
  await makeReadOnly()
  await coverKernel()
  await coverDevices()
  // Together below the memory of the machine: a run that fills them up is told so, before anything is killed for want of memory.
  await cover('/run', 'mode=755,size=50%')
  await cover('/tmp', 'mode=1777,size=25%')
  // Else a working directory below them would still be that of the machine.
  process.chdir(tree)
  await mustRun(['ip', 'link', 'set', 'lo', 'up'])
  // Processes may only live in leaves once a subtree is used; what runs here makes subtrees for hosts.
  await mkdir('/sys/fs/cgroup/harness')
  await writeFile('/sys/fs/cgroup/harness/cgroup.procs', String(process.pid))
  await setEnvironment()
}

/**
 * Every mount by itself, since `remount,bind,ro /` leaves what is mounted below as it was. A mount that another one covers cannot be
 * reached to be written, nor to be remounted; access(2) tells them apart, as it refuses root itself on a read-only mount.
 */
async function makeReadOnly(): Promise<void> {
  for (const path of await mountPoints()) {
    if (path === '/proc' || path.startsWith('/proc/')) continue
    const isWritable = await access(path, constants.W_OK).then(
      () => true,
      () => false,
    )
    if (isWritable) await mount('-o', 'remount,bind,ro', path)
  }
}

async function mountPoints(): Promise<Set<string>> {
  const table = await readFile('/proc/self/mountinfo', 'utf8')
  const escaped = (_: string, octal: string) => String.fromCharCode(parseInt(octal, 8))
  const lines = table.trimEnd().split('\n')
  return new Set(lines.map((line) => line.split(' ')[4]!.replaceAll(/\\(\d{3})/g, escaped)))
}

async function coverKernel(): Promise<void> {
  await mount('-t', 'sysfs', '-o', 'ro,nosuid,nodev,noexec', 'sysfs', '/sys')
  await mount('-t', 'cgroup2', 'cgroup2', '/sys/fs/cgroup')
  const present = kernelWide.filter((path) => existsSync(path))
  for (const path of [...present, '/proc/sys/net']) await mount('--bind', path, path)
  for (const path of present) await mount('-o', 'remount,bind,ro', path)
}

/** The machine's /dev has its disks, and a file made in it would stay. */
async function coverDevices(): Promise<void> {
  await mount('-t', 'tmpfs', '-o', 'mode=755,size=1m', 'tmpfs', staging)
  const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'].map((name) => join('/dev', name))
  await mustRun(['cp', '--archive', ...devices, staging])
  for (const name of ['pts', 'shm']) await mkdir(join(staging, name))
  await symlink('pts/ptmx', join(staging, 'ptmx'))
  for (const [index, name] of ['stdin', 'stdout', 'stderr'].entries())
    await symlink(`/proc/self/fd/${index}`, join(staging, name))
  await symlink('/proc/self/fd', join(staging, 'fd'))
  await mount('-t', 'devpts', '-o', 'newinstance,mode=620,ptmxmode=666', 'devpts', join(staging, 'pts'))
  await mount('-t', 'tmpfs', '-o', 'mode=1777,size=10%', 'tmpfs', join(staging, 'shm'))
  await mount('--move', staging, '/dev')
}

/** The folder becomes an empty tmpfs; what the run needs and lies below it (a clone in /tmp, say) is put back, read-only as it is by now. */
async function cover(folder: string, options: string): Promise<void> {
  const needed = [tree, cacheDirectory, dirname(process.execPath), binaries].filter((path) => existsSync(path))
  // By a link's own name too, should that lie here.
  const paths = new Set([...needed, ...(await Promise.all(needed.map((path) => realpath(path))))])
  if (paths.has(folder)) throw new Error(`Neither the clone nor a folder that it uses can be ${folder} itself`)
  await mount('-t', 'tmpfs', '-o', options, 'tmpfs', staging)
  for (const path of paths) {
    if (!path.startsWith(`${folder}/`)) continue
    const beside = join(staging, relative(folder, path))
    await mkdir(beside, { recursive: true })
    await mount('--rbind', path, beside)
  }
  await mount('--move', staging, folder)
}

async function setEnvironment(): Promise<void> {
  const home = '/run/keelson/home'
  await mkdir(home, { recursive: true })
  await mkdir('/run/lock')
  // The cache is found by HOME; everything else that writes there gets a private one.
  Object.assign(process.env, { KEELSON_CACHE: cacheDirectory, HOME: home, TMPDIR: '/tmp', LC_ALL: 'C.UTF-8' })
  if (binaries !== '') process.env['KEELSON_TESTBED_BIN'] = binaries
  // No proxy can be reached from here, and some programs would ask it for the hosts' addresses.
  for (const name of Object.keys(process.env)) if (/^(https?|all|no)_proxy$/i.test(name)) delete process.env[name]
}
