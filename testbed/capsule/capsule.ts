import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import type { Server } from 'node:net'
import { join } from 'node:path'
import { dyingWithStarter } from '../command.ts'
import { report } from '../progress.ts'
import { boxOf, newBox } from './box.ts'
import { cgroupRoot, destroyCgroup, makeCgroup, spawnIn } from './cgroup.ts'

/**
 * Capabilities that nothing in the test world may have: a plain root process in a namespace would otherwise set the clock of the whole
 * machine or load a module into its kernel.
 */
const dropped = ['sys_time', 'sys_module', 'sys_rawio', 'syslog', 'wake_alarm', 'block_suspend']
  .map((name) => `-${name}`)
  .join(',')

export type CapsuleOptions = {
  /** Module that runs inside (absolute path) and its arguments. */
  readonly module: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /**
   * Listening sockets of the machine's loopback that are handed in, by name, and closed here. The one thing that crosses: inside, each is
   * joined to an address of the capsule with `joinListener`.
   */
  readonly listeners?: Readonly<Record<string, Server>>
  /** What the program inside tells by `process.send`. */
  readonly onMessage?: (message: unknown) => void
}

/**
 * A sealed box around a whole run: its own process, mount, network, host name, IPC and cgroup namespaces. No route leads out, everything
 * but private tmpfs is read-only, and all of it dies with this process, whatever way this process dies.
 */
export class Capsule implements AsyncDisposable {
  /** The exit code of the program inside; 137 if it was killed. */
  readonly ended: Promise<number>
  readonly #box: string
  readonly #child: ChildProcess
  readonly #sweeper: ChildProcess
  readonly #swept: Promise<unknown>

  private constructor(box: string, child: ChildProcess, sweeper: ChildProcess, swept: Promise<unknown>) {
    this.#box = box
    this.#child = child
    this.#sweeper = sweeper
    this.#swept = swept
    this.ended = once(child, 'exit').then(([code]: unknown[]) => (typeof code === 'number' ? code : 137))
  }

  static async start(options: CapsuleOptions): Promise<Capsule> {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) throw new Error('A capsule needs Linux and root.')
    await removeAbandoned()
    const box = newBox()
    // The sweeper comes first: from here on nothing of what follows can be left behind. Its own session keeps Ctrl-C from it.
    const sweeper = spawn(process.execPath, [join(import.meta.dirname, 'sweeper.ts'), box], {
      stdio: ['pipe', 'inherit', 'inherit'],
      detached: true,
    })
    const swept = once(sweeper, 'exit')
    // It may have been killed; then what it would have swept is swept by dispose, or by the next start.
    sweeper.stdin.on('error', () => {})
    await makeCgroup(box)
    const [program, ...args] = [
      ...dyingWithStarter,
      ...['setpriv', `--bounding-set=${dropped}`, `--inh-caps=${dropped}`, '--'],
      ...['unshare', '--mount', '--propagation', 'private', '--net', '--pid', '--uts', '--ipc', '--cgroup'],
      ...['--fork', '--kill-child', '--mount-proc', '--'],
      // A first process that reaps what is orphaned.
      ...['tini', '--', process.execPath, join(import.meta.dirname, 'inside.ts')],
      ...[options.module, ...(options.args ?? [])],
    ]
    const child = spawnIn(box, () =>
      spawn(program, args, {
        stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
        env: { ...process.env, ...options.env, KEELSON_CAPSULE: box },
        // Ctrl-C reaches the starter alone, and the starter ends the capsule.
        detached: true,
      }),
    )
    child.on('message', (message) => {
      if (message !== 'inside') return options.onMessage?.(message)
      // Both ends would take connections from it, and those that this end takes nobody answers.
      for (const [name, server] of Object.entries(options.listeners ?? {}))
        child.send({ listener: name }, server, () => server.close())
    })
    return new Capsule(box, child, sweeper, swept)
  }

  /** The capsule's first process as the machine sees it, for `nsenter`. */
  get firstProcess(): number {
    const { pid } = this.#child
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    if (!/^\d+$/.test(children)) throw new Error('The capsule has no first process: it is not up yet, or gone')
    return Number(children)
  }

  /** Ends everything inside at once and waits until no trace is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
    await destroyCgroup(this.#box)
    this.#sweeper.stdin?.end()
    await this.#swept
  }
}

/** Folders of runs whose starter and sweeper were both killed. One that resists is no reason not to start. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(cgroupRoot())) {
    const path = join(cgroupRoot(), name)
    const box = boxOf(path)
    if (box !== undefined && box.starter === undefined)
      await destroyCgroup(path).catch((error: unknown) => report('capsule', String(error)))
  }
}
