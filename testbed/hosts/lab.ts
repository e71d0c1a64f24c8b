import { join } from 'node:path'
import { Host } from './host.ts'
import { hostAddress, openBridge } from './network.ts'

export type LabOptions = {
  /** Root folders of the layers of every host, the uppermost first. */
  readonly layers: readonly string[]
}

export type BootOptions = {
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
  #next = 21

  private constructor(options: LabOptions) {
    this.#options = options
  }

  static async open(options: LabOptions): Promise<Lab> {
    await openBridge()
    return new Lab(options)
  }

  /** By name. */
  get hosts(): readonly Host[] {
    return [...this.#hosts.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Makes and boots a host: about half a second. At most some twenty fit on one machine (inotify instances). */
  async boot(name: string, options: BootOptions = {}): Promise<Host> {
    if (this.#hosts.has(name)) throw new Error(`${name} is there already`)
    const index = this.#next++
    const files = (await options.files?.({ name, address: hostAddress(index) })) ?? {}
    const host = await Host.create({
      name,
      index,
      directory: join('/run/keelson/hosts', name),
      layers: this.#options.layers,
      files,
    })
    this.#hosts.set(name, host)
    return host
  }

  host(name: string): Host {
    const host = this.#hosts.get(name)
    if (host === undefined) throw new Error(`no host ${name}; there are ${[...this.#hosts.keys()].join(', ')}`)
    return host
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.destroy()))
  }
}
