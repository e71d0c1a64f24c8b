import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { spawnIn } from '../capsule/cgroup.ts'
import { dyingWithStarter } from '../command.ts'
import { findLeader } from './leader.ts'
import { networkNamespace } from './network.ts'

export type ContainerOptions = {
  /** The name of the host. */
  readonly name: string
  readonly root: string
  readonly cgroup: string
  /** File that the host's console is appended to. */
  readonly console: string
  /** Folders of the host that lie elsewhere: where, by absolute path in the host. */
  readonly binds?: Readonly<Record<string, string>>
  /** Names of system calls, or of groups of them, beyond those that nspawn allows. */
  readonly systemCalls?: readonly string[]
}

/** One life of a host's system, from its boot to its end: systemd-nspawn and what runs in it. */
export class Container {
  /** How it ended: {@link rebootAsked}, another exit code, or undefined if it was killed. */
  readonly ended: Promise<number | undefined>
  readonly #name: string
  readonly #child: ChildProcess

  constructor({ name, root, cgroup, console, binds = {}, systemCalls = [] }: ContainerOptions) {
    const [program, ...args] = [
      ...dyingWithStarter,
      ...['systemd-nspawn', '--quiet', '--boot', `--directory=${root}`, `--machine=${name}`],
      ...['--register=no', '--keep-unit', `--network-namespace-path=${networkNamespace(name)}`],
      ...['--capability=CAP_NET_ADMIN,CAP_IPC_LOCK', '--resolv-conf=off', '--timezone=off', '--link-journal=no'],
      '--console=read-only',
      ...Object.entries(binds).map(([path, source]) => `--bind=${source}:${path}`),
      ...(systemCalls.length === 0 ? [] : [`--system-call-filter=${systemCalls.join(' ')}`]),
    ]
    const log = openSync(console, 'a')
    try {
      this.#child = spawnIn(cgroup, () =>
        spawn(program, args, {
          stdio: ['ignore', log, log],
          // For net.* sysctls to be writable in the host, both this setting and CAP_NET_ADMIN are needed. No colours on the console.
          env: { ...process.env, SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network', TERM: 'dumb' },
        }),
      )
    } finally {
      closeSync(log)
    }
    this.#name = name
    this.ended = once(this.#child, 'exit').then(([code]: unknown[]) => (typeof code === 'number' ? code : undefined))
  }

  /** The host's own first process, as seen from outside; undefined while it is not there. */
  get leader(): number | undefined {
    const { pid } = this.#child
    try {
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
      return findLeader(this.#name, children.split(' ').map(Number))
    } catch {
      // It has ended.
      return undefined
    }
  }
}

/** systemd-nspawn(1): the exit code of a container that asked for a reboot. */
export const rebootAsked = 133
