import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { destroyCgroup, makeCgroup } from '../capsule/cgroup.ts'
import { CommandError, mustRun, runCommand, type CommandOptions, type CommandResult } from '../command.ts'
import { eventually } from '../deadline.ts'
import { Container, rebootAsked } from './container.ts'
import { enterHost, hostMarker } from './leader.ts'
import { attachNetwork, cutNetwork, detachNetwork, hostAddress, setForwarding } from './network.ts'

/** What a host needs that runs containers itself. */
export type ContainerHost = {
  /** Folders that lie on a real file system, as containers' overlays cannot lie on the host's own: by absolute path, what fills them before the first boot. */
  readonly folders: Readonly<Record<string, (folder: string) => Promise<void>>>
  /** Names of system calls, or of groups of them (systemd-nspawn(1), `--system-call-filter=`). */
  readonly systemCalls: readonly string[]
}

export type HostOptions = {
  readonly name: string
  /** What it calls itself, whatever it is called here. */
  readonly hostname: string
  /** Last part of its address, 2 to 254. */
  readonly index: number
  /** Folder for what belongs to this host alone; a tmpfs of the capsule. */
  readonly directory: string
  /** Root folders of the layers, the uppermost first. */
  readonly layers: readonly string[]
  /** Files that lie on the host before its first boot, by absolute path; mode 0600. */
  readonly files: Readonly<Record<string, string>>
  readonly containers?: ContainerHost
  /** Called once all that was the host's is gone. */
  readonly onDestroyed: () => void
}

/** A Linux host of its own: systemd as first process, its own network, name, /etc, services and users. */
export class Host implements AsyncDisposable {
  readonly name: string
  readonly address: string
  readonly #options: HostOptions
  readonly #cgroup: string
  #container: Container | undefined
  /** From power on to power off, over all reboots; undefined while it is off. */
  #life: Promise<void> | undefined
  #wanted: 'on' | 'off' = 'off'
  #partitioned = false
  #boots = 0

  private constructor(options: HostOptions) {
    this.#options = options
    this.#cgroup = `/sys/fs/cgroup/host-${options.name}`
    this.name = options.name
    this.address = hostAddress(options.index)
  }

  /** Makes the host from its layers and boots it. A host that cannot be made or does not boot leaves nothing behind. */
  static async create(options: HostOptions): Promise<Host> {
    const host = new Host(options)
    try {
      await host.#make()
      await host.powerOn()
      return host
    } catch (error) {
      await host.destroy()
      throw error
    }
  }

  async #make(): Promise<void> {
    const { directory, layers, files, hostname, containers } = this.#options
    for (const folder of ['upper', 'work', 'root']) await mkdir(join(directory, folder), { recursive: true })
    const overlay = `lowerdir=${layers.join(':')},upperdir=${directory}/upper,workdir=${directory}/work`
    await mustRun(['mount', '-t', 'overlay', 'overlay', '-o', overlay, this.root])
    const own = {
      [`/${hostMarker}`]: `${this.name}\n`,
      '/etc/hostname': `${hostname}\n`,
      '/etc/hosts': `127.0.0.1 localhost\n127.0.1.1 ${hostname}\n`,
      // Empty: made at the first boot, as machine-id(5) asks of an image.
      '/etc/machine-id': '',
    }
    // It may be a link to a file that is not this host's.
    await rm(join(this.root, 'etc/resolv.conf'), { force: true })
    for (const [path, content] of Object.entries(own)) await writeFile(join(this.root, path), content, { mode: 0o644 })
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(this.root, path)), { recursive: true })
      await writeFile(join(this.root, path), content, { mode: 0o600 })
    }
    for (const [path, fill] of Object.entries(containers?.folders ?? {})) {
      await mkdir(this.#folder(path), { recursive: true })
      await fill(this.#folder(path))
    }
  }

  /** Where a folder lies that is not on the overlay. */
  #folder(path: string): string {
    return join(this.#options.directory, 'folders', path)
  }

  /** The host's root folder as seen from outside it. */
  get root(): string {
    return join(this.#options.directory, 'root')
  }

  /** The same as its own processes see it, with what they have mounted there; another one after each boot. Throws if the host is not up. */
  get liveRoot(): string {
    return `/proc/${this.leader}/root`
  }

  /** Its first process, as seen from outside. Throws if the host is not up. */
  get leader(): number {
    const leader = this.#container?.leader
    if (leader === undefined) throw new Error(`${this.name} is not up`)
    return leader
  }

  get isUp(): boolean {
    return this.#container?.leader !== undefined
  }

  /** Boots and waits until systemd says that it is running. Throws with the failed units if it is not. */
  async powerOn(): Promise<void> {
    if (this.#life !== undefined) throw new Error(`${this.name} is on already`)
    this.#wanted = 'on'
    const failure: { error?: unknown } = {}
    this.#life = this.#live()
      .catch((error: unknown) => (failure.error = error))
      .then(() => (this.#life = undefined))
    await this.#booted().catch((error: unknown) => {
      throw failure.error === undefined ? error : new Error(`${this.name} did not boot`, { cause: failure.error })
    })
  }

  /** Boots, and boots again as often as the host asks for it, until it is off. */
  async #live(): Promise<void> {
    const { index, directory, containers } = this.#options
    const { name, root } = this
    const cgroup = this.#cgroup
    const folders = Object.keys(containers?.folders ?? {})
    const binds = Object.fromEntries(folders.map((path) => [path, this.#folder(path)]))
    const { systemCalls = [] } = containers ?? {}
    const console = join(directory, 'console.log')
    let again = true
    try {
      while (again) {
        await attachNetwork(name, index)
        if (this.#partitioned) await setForwarding(index, 'disabled')
        // Without a cgroup of its own each host would share one tree with the others.
        await makeCgroup(cgroup)
        if (this.#wanted === 'off') return
        this.#container = new Container({ name, root, cgroup, console, binds, systemCalls })
        this.#boots += 1
        again = (await this.#container.ended) === rebootAsked
        await destroyCgroup(cgroup)
      }
    } finally {
      this.#container = undefined
      await destroyCgroup(cgroup)
      await detachNetwork(name, index)
    }
  }

  async #booted(): Promise<void> {
    const state = await eventually(`${this.name} has booted`, () => this.#systemState(), 40_000).catch(String)
    if (state === 'running') return
    const failed = state === 'degraded' ? await this.read(['systemctl', '--failed', '--no-legend', '--plain']) : ''
    const console = await readFile(join(this.#options.directory, 'console.log'), 'utf8').catch(() => '')
    throw new Error(`${this.name} did not boot: ${state}\n${failed}\n${console.slice(-2_000)}`)
  }

  /** What systemd says of a boot that has come to its end; undefined while it has not. */
  async #systemState(): Promise<'running' | 'degraded' | 'off' | undefined> {
    if (this.#life === undefined) return 'off'
    const { stdout } = await runCommand(this.enter(['systemctl', 'is-system-running', '--wait']), { timeoutMs: 30_000 })
    const state = stdout.trim()
    return state === 'running' || state === 'degraded' ? state : undefined
  }

  /** The argv that runs a program in the host's namespaces. Throws if the host is not up. */
  enter(argv: readonly string[]): string[] {
    return enterHost(this.leader, argv)
  }

  /** Runs a program in the host; throws {@link CommandError} unless it ends with exit 0. */
  async run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const result = await runCommand(this.enter(argv), options)
    // By the program, not by how the host is entered.
    if (result.exitCode !== 0) throw new CommandError([`${this.name}:`, ...argv], result)
    return result
  }

  /** Runs a program in the host and gives back its trimmed output, whatever its exit code (`systemctl is-active` exits 3). */
  async read(argv: readonly string[]): Promise<string> {
    return (await runCommand(this.enter(argv))).stdout.trim()
  }

  /** A clean reboot; comes back when the new system is up. */
  async reboot(): Promise<void> {
    const before = this.#boots
    // The connection to systemd may break under the command that asks for the reboot.
    await this.run(['systemctl', 'reboot']).catch((error: unknown) => {
      if (!(error instanceof CommandError)) throw error
    })
    const isNext = () => this.#boots > before || this.#life === undefined
    await eventually(`${this.name} goes down for its reboot`, isNext, 30_000)
    await this.#booted()
  }

  /** The plug is pulled: nothing is shut down and nothing answers any more. */
  async powerCut(): Promise<void> {
    this.#wanted = 'off'
    // First, so that no connection is closed in an orderly way.
    await cutNetwork(this.#options.index)
    await destroyCgroup(this.#cgroup)
    await this.#life
  }

  /**
   * Nothing comes to the host or from it any more, and nobody is told: connections stay as they are and just hang. It goes on running, and a reboot does not
   * end it.
   */
  async partition(): Promise<void> {
    await this.#setPartitioned(true)
  }

  /** Ends a partition; what hung goes on with its next retransmission. */
  async heal(): Promise<void> {
    await this.#setPartitioned(false)
  }

  async #setPartitioned(partitioned: boolean): Promise<void> {
    this.#partitioned = partitioned
    // Else at the next boot.
    if (this.isUp) await setForwarding(this.#options.index, partitioned ? 'disabled' : 'forwarding')
  }

  /** Ends the host and removes all that was its own. */
  async destroy(): Promise<void> {
    await this.powerCut()
    await unmount(this.root)
    await rm(this.#options.directory, { recursive: true, force: true, maxRetries: 10 })
    this.#options.onDestroyed()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy()
  }
}

/** Not lazily: what then still hung on to the mount would keep its folders from being removed (EBUSY). */
async function unmount(folder: string): Promise<void> {
  if ((await runCommand(['mountpoint', '--quiet', folder])).exitCode !== 0) return
  await eventually(`${folder} is unmounted`, () => mustRun(['umount', folder]).then(() => true), 20_000)
}
