import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { eventually } from '../deadline.ts'
import type { View } from './view.fixture.ts'

const testbed = resolve(import.meta.dirname, '..')

type StarterOptions = {
  /** Another copy of the test world. */
  readonly testbed?: string
  readonly env?: Readonly<Record<string, string>>
  /** Folders on which something is mounted on the machine, for this starter alone. */
  readonly mounts?: readonly string[]
}

/** A process that starts a capsule. */
export class Starter {
  readonly tag = `KEELSON_TEST_RUN=${crypto.randomUUID()}`
  readonly #child: ChildProcess
  output = ''

  constructor(args: readonly string[], options: StarterOptions = {}) {
    const [name, value] = this.tag.split('=') as [string, string]
    const program = join(options.testbed ?? testbed, 'capsule/starter.fixture.ts')
    const mounts = (options.mounts ?? []).flatMap((folder) => ['--mount', folder])
    const namespace = ['--mount', '--propagation', 'private', '--']
    this.#child = spawn('unshare', [...namespace, process.execPath, program, ...mounts, '--', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env, [name]: value },
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text))
  }

  get pid(): number {
    return this.#child.pid!
  }

  async says(text: string): Promise<void> {
    await eventually(`the starter says ${text}`, () => this.output.includes(text), 20_000, 1)
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended()
  }

  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit')
    return this.#child.exitCode
  }

  /** What the probe saw; throws with the starter's words if it saw nothing. */
  async view(): Promise<View> {
    await this.ended()
    const line = this.output.split('\n').find((text) => text.startsWith('{"view"'))
    if (line === undefined) throw new Error(this.output)
    return (JSON.parse(line) as { view: View }).view
  }
}

/** The process that sweeps up after the capsule of a starter. */
export function sweeperOf(starter: number): number {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      if (line.includes('sweeper.ts') && line.includes(`keelson-${starter}-`)) return Number(pid)
    } catch {
      // It went away while it was looked at.
    }
  throw new Error(`no sweeper of ${starter}`)
}
