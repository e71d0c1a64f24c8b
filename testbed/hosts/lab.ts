import { join } from 'node:path'
import { Host, type ContainerHost } from './host.ts'
import { hostAddress, openBridge } from './network.ts'

export type LabOptions = {
  /** Root folders of the layers of every host, the uppermost first. */
  readonly layers: readonly string[]
  /** For hosts that run containers themselves. */
  readonly containers?: ContainerHost
}

export type BootOptions = {
  /** What the host calls itself; the default is its name. */
  readonly hostname?: string
  /** Files that lie on the host before its first boot, by absolute path. */
  readonly files?: (host: {
    readonly name: string
    readonly address: string
  }) => Promise<Readonly<Record<string, string>>>
}

/** The hosts of one run and their network. Only inside a capsule. */
export class Lab implements AsyncDisposable {
  readonly #options: LabOptions
  readonly #hosts = new Map<string, Host>()
  readonly #booting = new Map<string, Promise<Host>>()
  #next = 21

  private constructor(options: LabOptions) {
    this.#options = options
  }

  static async open(options: LabOptions): Promise<Lab> {
    await openBridge()
    return new Lab(options)
  }

  /** Those that are there, on or off, by name. */
  get hosts(): readonly Host[] {
    return [...this.#hosts.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Makes and boots a host: about half a second. At most some twenty fit on one machine (inotify instances). */
  async boot(name: string, options: BootOptions = {}): Promise<Host> {
    if (this.#hosts.has(name) || this.#booting.has(name)) throw new Error(`${name} is there already`)
    const booting = this.#boot(name, options).finally(() => this.#booting.delete(name))
    this.#booting.set(name, booting)
    return booting
  }

  async #boot(name: string, options: BootOptions): Promise<Host> {
    // An address is not given to another host of the same run: some might still take it for the first.
    const index = this.#next++
    if (index > 254) throw new Error('The network of the hosts has no address left')
    const files = (await options.files?.({ name, address: hostAddress(index) })) ?? {}
    const { hostname = name } = options
    const directory = join('/run/keelson/hosts', name)
    const onDestroyed = () => void this.#hosts.delete(name)
    const host = await Host.create({ ...this.#options, name, hostname, index, directory, files, onDestroyed })
    this.#hosts.set(name, host)
    return host
  }

  host(name: string): Host {
    const host = this.#hosts.get(name)
    if (host === undefined) throw new Error(`no host ${name}; there are ${[...this.#hosts.keys()].join(', ')}`)
    return host
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#booting.values())
    await Promise.all(this.hosts.map((host) => host.destroy()))
  }
}
