import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { destroyCgroup, makeCgroup, spawnIn } from '../capsule/cgroup.ts'
import { CommandError, mustRun, runCommand, type CommandOptions, type CommandResult } from '../command.ts'
import { eventually } from '../deadline.ts'
import { enterHost, findLeader, hostMarker } from './leader.ts'
import { attachNetwork, detachNetwork, hostAddress, networkNamespace } from './network.ts'

/** systemd-nspawn(1): the exit code of a container that asked for a reboot. */
const rebootAsked = 133

export type HostOptions = {
  readonly name: string
  /** Last part of its address, 2 to 254. */
  readonly index: number
  /** Folder for what belongs to this host alone; a tmpfs of the capsule. */
  readonly directory: string
  /** Root folders of the layers, the uppermost first. */
  readonly layers: readonly string[]
  /** Files that lie on the host before its first boot, by absolute path; mode 0600. */
  readonly files: Readonly<Record<string, string>>
}

/** A Linux host of its own: systemd as first process, its own network, name, /etc, services and users. */
export class Host implements AsyncDisposable {
  readonly name: string
  readonly address: string
  readonly #options: HostOptions
  #container: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  #wanted: 'on' | 'off' = 'off'

  private constructor(options: HostOptions) {
    this.#options = options
    this.name = options.name
    this.address = hostAddress(options.index)
  }

  /** Makes the host from its layers and boots it. */
  static async create(options: HostOptions): Promise<Host> {
    const host = new Host(options)
    const { directory, name, layers, files } = options
    for (const folder of ['upper', 'work', 'root']) await mkdir(join(directory, folder), { recursive: true })
    const overlay = `lowerdir=${layers.join(':')},upperdir=${directory}/upper,workdir=${directory}/work`
    await mustRun(['mount', '-t', 'overlay', 'overlay', '-o', overlay, host.root])
    const own = {
      [`/${hostMarker}`]: `${name}\n`,
      '/etc/hostname': `${name}\n`,
      '/etc/hosts': `127.0.0.1 localhost\n127.0.1.1 ${name}\n`,
      // Empty: made at the first boot, as machine-id(5) asks of an image.
      '/etc/machine-id': '',
    }
    await rm(join(host.root, 'etc/resolv.conf'), { force: true })
    for (const [path, content] of Object.entries(own)) await writeFile(join(host.root, path), content, { mode: 0o644 })
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(host.root, path)), { recursive: true })
      await writeFile(join(host.root, path), content, { mode: 0o600 })
    }
    await host.powerOn()
    return host
  }

  /** The host's root folder as seen from outside it. */
  get root(): string {
    return join(this.#options.directory, 'root')
  }

  get #cgroup(): string {
    return `/sys/fs/cgroup/host-${this.name}`
  }

  get isUp(): boolean {
    return this.#leader() !== undefined
  }

  /** Boots and waits until systemd says that it is running. Throws with the failed units if it is not. */
  async powerOn(): Promise<void> {
    this.#wanted = 'on'
    await this.#start()
    await this.#booted()
  }

  async #start(): Promise<void> {
    const { name, index, directory } = this.#options
    await attachNetwork(name, index)
    // Without a cgroup of its own each host would share one tree with the others.
    await makeCgroup(this.#cgroup)
    const argv = [
      ...[
        '--pdeathsig',
        'KILL',
        '--',
        'systemd-nspawn',
        '--quiet',
        '--boot',
        `--directory=${this.root}`,
        `--machine=${name}`,
      ],
      ...['--register=no', '--keep-unit', `--network-namespace-path=${networkNamespace(name)}`],
      ...[
        '--capability=CAP_NET_ADMIN,CAP_IPC_LOCK',
        '--resolv-conf=off',
        '--timezone=off',
        '--link-journal=no',
        '--console=passive',
      ],
    ]
    const log = openSync(join(directory, 'console.log'), 'a')
    const container = spawnIn(this.#cgroup, () =>
      // Both are needed for net.* sysctls to be writable in the host: this setting and CAP_NET_ADMIN.
      spawn('setpriv', argv, {
        stdio: ['ignore', log, log],
        env: { ...process.env, SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network' },
      }),
    )
    closeSync(log)
    this.#container = container
    this.#ended = new Promise((resolve) => {
      container.once('error', () => resolve())
      container.once('exit', (code) => {
        this.#container = undefined
        void destroyCgroup(this.#cgroup)
          .then(async () => {
            if (code === rebootAsked && this.#wanted === 'on') await this.#start()
            else await detachNetwork(name, index)
          })
          .finally(resolve)
      })
    })
  }

  /** The host's own first process, as seen from outside; undefined while it is not up. */
  #leader(): number | undefined {
    const pid = this.#container?.pid
    if (pid === undefined) return undefined
    try {
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
      return findLeader(this.name, children.split(' ').map(Number))
    } catch {
      return undefined
    }
  }

  async #booted(): Promise<void> {
    await eventually(
      `${this.name} has booted`,
      async () => {
        if (this.#wanted === 'on' && this.#container === undefined) await this.#ended
        const { stdout } = await runCommand(this.enter(['systemctl', 'is-system-running', '--wait']), {
          timeoutMs: 30_000,
        })
        if (stdout.trim() === 'running') return true
        if (stdout.trim() !== 'degraded') return false
        const failed = await this.run(['systemctl', '--failed', '--no-legend', '--plain'])
        throw new Error(`${this.name} is degraded: ${failed.stdout}`)
      },
      40_000,
    ).catch(async (error: unknown) => {
      const console = await readFile(join(this.#options.directory, 'console.log'), 'utf8').catch(() => '')
      throw new Error(`${this.name} did not boot:\n${console.slice(-2_000)}`, { cause: error })
    })
  }

  /** The argv that runs a program in the host's namespaces. Throws if the host is not up. */
  enter(argv: readonly string[]): string[] {
    const leader = this.#leader()
    if (leader === undefined) throw new Error(`${this.name} is not up`)
    return enterHost(leader, argv)
  }

  /** Runs a program in the host; throws {@link CommandError} unless it ends with exit 0. */
  async run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return mustRun(this.enter(argv), options)
  }

  /** Runs a program in the host and gives back its trimmed output, whatever its exit code (`systemctl is-active` exits 3). */
  async read(argv: readonly string[]): Promise<string> {
    return (await runCommand(this.enter(argv))).stdout.trim()
  }

  /** A clean reboot; comes back when the new system is up. */
  async reboot(): Promise<void> {
    const before = this.#container
    // The connection to systemd may break under the command that asks for the reboot.
    await this.run(['systemctl', 'reboot']).catch((error: unknown) => {
      if (!(error instanceof CommandError)) throw error
    })
    await eventually(`${this.name} goes down for its reboot`, () => this.#container !== before, 30_000)
    await this.#ended.catch(() => {})
    await this.#booted()
  }

  /** The plug is pulled: nothing is shut down and nothing answers any more. */
  async powerCut(): Promise<void> {
    this.#wanted = 'off'
    const leader = this.#leader()
    const ended = this.#ended
    if (leader !== undefined) process.kill(leader, 'SIGKILL')
    else this.#container?.kill('SIGKILL')
    await ended
  }

  /** Ends the host and removes all that was its own. */
  async destroy(): Promise<void> {
    await this.powerCut()
    await runCommand(['umount', '--lazy', this.root])
    await rm(this.#options.directory, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy()
  }
}
