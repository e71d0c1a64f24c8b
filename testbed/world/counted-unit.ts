import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Host } from '../hosts/host.ts'
import { change, type SpecInput } from './requests.ts'

const counter = 'var/lib/counted-starts'
const broken = 'etc/counted-broken'
const gate = 'run/counted-held'

/** It is not done while the host has the gate's file, and fails where it has the other. */
const text = `[Unit]
StartLimitIntervalSec=0
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo start >> /${counter}; while [ -e /${gate} ]; do sleep 0.05; done; test ! -e /${broken}'
`

/** A unit of some hosts that counts its starts where they last, can be made to fail as a broken service does, and can be held in its start. */
export class CountedUnit {
  readonly #hosts: readonly Host[]

  private constructor(hosts: readonly Host[]) {
    this.#hosts = hosts
  }

  static async install(hosts: readonly Host[]): Promise<CountedUnit> {
    const install = async (host: Host) => {
      await writeFile(join(host.root, 'etc/systemd/system/counted.service'), text)
      await host.run(['systemctl', 'daemon-reload'])
    }
    await Promise.all(hosts.map(install))
    return new CountedUnit(hosts)
  }

  /** A request that starts it once on each of these. */
  restart(hosts: readonly string[] = []): SpecInput {
    return change(hosts, 'systemdUnit', { name: 'counted.service', state: 'restarted' })
  }

  /** From now on counts from zero, and on these hosts it fails. */
  async reset(failing: readonly string[] = []): Promise<void> {
    for (const { root } of this.#hosts) await rm(join(root, counter), { force: true })
    await this.break(failing)
  }

  /** From now on it fails on these hosts and on no others. */
  async break(failing: readonly string[]): Promise<void> {
    for (const { name, root } of this.#hosts)
      if (failing.includes(name)) await writeFile(join(root, broken), '')
      else await rm(join(root, broken), { force: true })
  }

  /** Starts hang until {@link release}. */
  async hold(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.run(['touch', `/${gate}`])))
  }

  async release(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.run(['rm', '--force', `/${gate}`])))
  }

  /** How often it was started on each host, by name; those with none are left out. */
  async starts(): Promise<Record<string, number>> {
    const count = async ({ name, root }: Host): Promise<[string, number]> => {
      const lines = await readFile(join(root, counter), 'utf8').catch(() => '')
      return [name, lines.split('\n').filter(Boolean).length]
    }
    const counts = await Promise.all(this.#hosts.map(count))
    return Object.fromEntries(counts.filter(([, starts]) => starts > 0))
  }
}
