import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../deadline.ts'
import type { Host } from '../hosts/host.ts'
import type { SpecInput } from './requests.ts'

const port = 9000
const log = 'var/log/held-receiver.log'
const program = 'opt/testbed/held-receiver.ts'

const text = `[Service]
ExecStart=/opt/keelson/current/bin/node /${program}
`

/** A plain HTTP server in each of some hosts, whose answers can be held back: so a run stays where it is for as long as a test needs it to. */
export class HeldReceiver {
  readonly #hosts: readonly Host[]

  private constructor(hosts: readonly Host[]) {
    this.#hosts = hosts
  }

  static async install(hosts: readonly Host[]): Promise<HeldReceiver> {
    const install = async (host: Host) => {
      await mkdir(join(host.root, 'opt/testbed'), { recursive: true })
      await copyFile(join(import.meta.dirname, 'held-receiver.fixture.ts'), join(host.root, program))
      await writeFile(join(host.root, 'etc/systemd/system/held-receiver.service'), text)
      await host.run(['systemctl', 'daemon-reload'])
      await host.run(['systemctl', 'start', 'held-receiver'])
      await eventually(`${host.name} has its receiver`, () =>
        host.run(['curl', '--silent', `localhost:${port}/up`]).then(() => true),
      )
    }
    await Promise.all(hosts.map(install))
    return new HeldReceiver(hosts)
  }

  /** A request that may not be sent twice, to every host that is online. */
  post(path: string): SpecInput {
    return { workers: [], http: { port, api: path, method: 'POST' }, timeoutSeconds: 60 }
  }

  async hold(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.run(['touch', '/run/held'])))
  }

  async release(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.run(['rm', '--force', '/run/held'])))
  }

  /** What the hosts' logs say of a path, by host; those that say nothing are left out. */
  async said(path: string): Promise<Record<string, string[]>> {
    const lines = async ({ name, root }: Host): Promise<[string, string[]]> => {
      const all = (await readFile(join(root, log), 'utf8')).split('\n')
      return [name, all.filter((line) => line.startsWith(`${path} `)).map((line) => line.slice(path.length + 1))]
    }
    const found = await Promise.all(this.#hosts.map(lines))
    return Object.fromEntries(found.filter(([, said]) => said.length > 0))
  }

  /** The hosts that have connections on the port, as `ss` shows them there. */
  async connected(): Promise<string[]> {
    const sockets = ['ss', '--no-header', '--tcp', '--numeric', '--all', 'state', 'connected', 'sport', '=', `:${port}`]
    const found = await Promise.all(
      this.#hosts.map(async (host) => ((await host.read(sockets)) === '' ? [] : [host.name])),
    )
    return found.flat()
  }
}
