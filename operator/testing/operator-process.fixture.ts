import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { kinds, type KubeClient, type Lease } from '@keelson/kube'
import { eventually } from '@keelson/testbed'

export type LogLine = Readonly<Record<string, unknown>> & { readonly level: number; readonly msg: string }

/** The operator as a process of its own. It does not outlive the test, not even stopped. */
export class OperatorProcess implements AsyncDisposable {
  readonly log: LogLine[] = []
  /** Lines that are none of the logger's. */
  readonly stray: string[] = []
  readonly #child: ChildProcess

  constructor(kubeconfig: string, args: readonly string[]) {
    const argv = [
      `--kubeconfig=${kubeconfig}`,
      '--allow-loopback',
      '--facts-interval-seconds=1',
      '--metrics-address=0',
      ...args,
    ]
    this.#child = fork(join(import.meta.dirname, '../main.ts'), argv, {
      ...{ execPath: 'setpriv', execArgv: ['--pdeathsig', 'KILL', '--', process.execPath] },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    createInterface(this.#child.stdout!).on('line', (line) => this.#read(line))
    createInterface(this.#child.stderr!).on('line', (line) => this.stray.push(line))
  }

  #read(line: string): void {
    try {
      this.log.push(JSON.parse(line) as LogLine)
    } catch {
      this.stray.push(line)
    }
  }

  get said(): readonly string[] {
    return this.log.map(({ msg }) => msg)
  }

  /** Waits until it has said so, and gives back the last such line. */
  async says(msg: string, timeoutMs = 20_000): Promise<LogLine> {
    const find = () => this.log.findLast((line) => line.msg === msg)
    try {
      return await eventually(`the operator says: ${msg}`, find, timeoutMs)
    } catch (cause) {
      throw new Error(`it said ${JSON.stringify(this.log.slice(-20))} ${this.stray.join('\n')}`, { cause })
    }
  }

  /** The epoch in which it leads, above the given one. */
  async leads(above = -1, timeoutMs = 20_000): Promise<number> {
    const find = () => this.log.findLast(({ msg, epoch }) => msg === 'leading' && Number(epoch) > above)
    return Number((await eventually('the operator leads', find, timeoutMs))['epoch'])
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit')
    return this.#child.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGKILL')
    await this.ended()
  }
}

export async function readLease(admin: KubeClient): Promise<NonNullable<Lease['spec']>> {
  const lease = await admin.get(kinds.Lease, { namespace: 'keelson-system', name: 'keelson-operator' })
  return lease.spec ?? {}
}
