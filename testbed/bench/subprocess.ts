import { fork, type ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'

type Question = { readonly id: number; readonly command: string; readonly argument: unknown }
type Reply = { readonly id: number; readonly value?: unknown; readonly error?: string }

export type Answers = Readonly<Record<string, (argument: never) => Promise<unknown>>>

/** In a process of its own: answers what its starter asks, one thing after another, until the starter is gone. */
export function answer(answers: Answers): void {
  process.on('message', ({ id, command, argument }: Question) => {
    void (answers[command] as (argument: unknown) => Promise<unknown>)(argument).then(
      (value) => process.send?.({ id, value } satisfies Reply),
      (error: unknown) => process.send?.({ id, error: String(error) } satisfies Reply),
    )
  })
  process.once('disconnect', () => process.exit())
}

/** A module of the bench as a process of its own, so that what it costs is told apart from the others. */
export class Subprocess<T extends Answers> implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #questions = 0

  constructor(module: string, args: readonly string[] = []) {
    this.#child = fork(module, [...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' })
    this.#child.on('message', ({ id, value, error }: Reply) => {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) waiting?.resolve(value)
      else waiting?.reject(new Error(`${module}: ${error}`))
    })
    this.#child.once('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${module} has ended (exit ${code})`))
      this.#waiting.clear()
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  async ask<C extends keyof T & string>(
    command: C,
    argument?: Parameters<T[C]>[0],
  ): Promise<Awaited<ReturnType<T[C]>>> {
    const waiting = Promise.withResolvers<unknown>()
    const id = ++this.#questions
    this.#waiting.set(id, waiting)
    this.#child.send({ id, command, argument } satisfies Question)
    return (await waiting.promise) as Awaited<ReturnType<T[C]>>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await ended
  }
}

/** The most memory that a process ever had at once, in MiB: VmHWM of proc_pid_status(5). */
export async function peakMemory(pid: number): Promise<number> {
  return memory(pid, 'VmHWM')
}

/** What it has now, in MiB. */
export async function residentMemory(pid: number): Promise<number> {
  return memory(pid, 'VmRSS')
}

async function memory(pid: number, field: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)![1]) / 1024
}
