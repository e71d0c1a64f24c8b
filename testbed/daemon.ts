import { spawn, type ChildProcess } from 'node:child_process'
import { openSync, closeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dyingWithStarter } from './command.ts'

export type DaemonOptions = {
  readonly log: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
}

/** A program that runs until it is stopped. It dies with the process that started it, whatever way that dies. */
export class Daemon implements AsyncDisposable {
  readonly name: string
  readonly log: string
  readonly #child: ChildProcess
  readonly #ended: Promise<void>

  constructor(name: string, argv: readonly string[], options: DaemonOptions) {
    this.name = name
    this.log = options.log
    const log = openSync(options.log, 'a', 0o600)
    try {
      const [program, ...args] = dyingWithStarter
      this.#child = spawn(program, [...args, ...argv], {
        stdio: ['ignore', log, log],
        env: { ...process.env, ...options.env },
        cwd: options.cwd,
      })
    } finally {
      closeSync(log)
    }
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', () => resolve())
      this.#child.once('error', () => resolve())
    })
  }

  get pid(): number {
    const { pid } = this.#child
    if (pid === undefined) throw new Error(`${this.name} did not start`)
    return pid
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined
  }

  /** Throws with the log's last lines if the program has ended by itself. */
  async assertRunning(): Promise<void> {
    if (this.running) return
    throw new Error(
      `${this.name} has ended (exit ${this.#child.exitCode ?? this.#child.signalCode}):\n${await this.tail()}`,
    )
  }

  async tail(lines = 20): Promise<string> {
    const text = await readFile(this.log, 'utf8').catch(() => '')
    return text.trimEnd().split('\n').slice(-lines).join('\n')
  }

  /** Sends the signal and waits for the end; SIGKILL follows after the time limit, in milliseconds. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', timeoutMs = 10_000): Promise<void> {
    if (!this.running) return
    this.#child.kill(signal)
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), timeoutMs)
    await this.#ended
    clearTimeout(timer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL')
  }
}
