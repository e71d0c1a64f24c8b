import { spawnSync } from 'node:child_process'
import { constants } from 'node:fs'
import { access, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'

/** What a capsule looks like from inside. */
export type View = {
  /** Mounts that one can get at, by path: how they are mounted, and what comes of making a file there (`made` or an error code). */
  readonly mounts: Readonly<Record<string, { readonly options: string; readonly newFile: string }>>
  /** What comes of making a file in some folders of the machine. */
  readonly folders: Readonly<Record<string, string>>
  /** What access(2) says of writing to some files and folders below /proc: `made` or an error code. */
  readonly kernel: Readonly<Record<string, string>>
  readonly devices: readonly string[]
  /** The capability sets of a program that is started inside, in hexadecimal. */
  readonly capabilities: Readonly<Record<string, string>>
  readonly routes: string
  readonly wayOut: string
  readonly interfaces: readonly string[]
  readonly processes: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workingDirectory: string
  /** What lies in /tmp. */
  readonly temporary: readonly string[]
}

/** What is seen in /tmp at most: this tree, where it is a clone below it. */
export const ownTemporary: readonly string[] = import.meta.dirname.startsWith('/tmp/')
  ? import.meta.dirname.split('/').slice(2, 3)
  : []

/** Looks around, and tries to make a file in these folders. */
export async function look(folders: readonly string[]): Promise<View> {
  const kernel = ['sys/kernel/hostname', 'sys/vm/swappiness', 'sysrq-trigger', 'irq', 'bus', 'sys/net/ipv4/ip_forward']
  const status = read('cat', '/proc/self/status')
  return {
    mounts: await mounts(),
    folders: await eachOf(folders, newFile),
    kernel: await eachOf(kernel, async (name) => outcome(access(join('/proc', name), constants.W_OK))),
    devices: await readdir('/dev'),
    capabilities: Object.fromEntries([...status.matchAll(/^(Cap\w+):\t([0-9a-f]+)$/gm)].map(([, a, b]) => [a!, b!])),
    routes: read('ip', 'route', 'show') + read('ip', '-6', 'route', 'show', 'default'),
    // Asks the kernel and sends nothing. An address for documentation, RFC 5737.
    wayOut: read('ip', 'route', 'get', '192.0.2.1'),
    interfaces: Object.keys(networkInterfaces()),
    processes: await processNames(),
    environment: { ...process.env },
    workingDirectory: process.cwd(),
    temporary: await readdir('/tmp'),
  }
}

function read(program: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  return (stdout + stderr).trim()
}

async function eachOf<T>(names: readonly string[], of: (name: string) => Promise<T>): Promise<Record<string, T>> {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await of(name)] as const)))
}

/** `made`, or the code of the error. */
async function outcome(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'made',
    (error: NodeJS.ErrnoException) => error.code ?? String(error),
  )
}

async function newFile(folder: string): Promise<string> {
  const path = join(folder, `keelson-probe-${crypto.randomUUID()}`)
  const make = async () => {
    const file = await open(path, 'wx')
    await file.close()
    await rm(path)
  }
  return outcome(make())
}

async function mounts(): Promise<View['mounts']> {
  const found: Record<string, { options: string; newFile: string }> = {}
  for (const line of (await readFile('/proc/self/mountinfo', 'utf8')).trimEnd().split('\n')) {
    const [, , device, , escaped, options] = line.split(' ')
    const path = escaped!.replaceAll('\\040', ' ')
    const seen = await stat(path).catch(() => undefined)
    // Else another one covers it.
    if (seen !== undefined && deviceNumber(seen.dev) === device)
      found[path] = { options: options!, newFile: seen.isDirectory() ? await newFile(path) : 'not a folder' }
  }
  return found
}

/** As mountinfo writes it; the bits as in gnu_dev_major(3). */
function deviceNumber(device: number): string {
  return `${(device >> 8) & 0xfff}:${(device & 0xff) | ((device >> 12) & 0xfff00)}`
}

async function processNames(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  return Promise.all(pids.map(async (pid) => `${pid} ${(await readFile(`/proc/${pid}/comm`, 'utf8')).trim()}`))
}
