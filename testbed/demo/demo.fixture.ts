import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { eventually } from '../deadline.ts'
import { programsOf } from './traces.ts'

const tree = resolve(import.meta.dirname, '../..')

/** A demo that a test starts and looks at from outside; beside one that may be up in this tree. */
export class Demo {
  readonly tag = `KEELSON_TEST_RUN=${crypto.randomUUID()}`
  /** What it leaves for other terminals: kubeconfig and state. */
  readonly directory: string
  readonly #child: ChildProcess
  output = ''

  constructor(directory: string, argv: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.directory = directory
    const [name, value] = this.tag.split('=') as [string, string]
    const [program, ...args] = argv
    this.#child = spawn(program!, args, {
      cwd: tree,
      // Its own process group, as a terminal gives it: Ctrl-C goes to the group.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, KEELSON_DEMO_DIRECTORY: directory, [name]: value, ...environment },
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text))
  }

  /** The quick one, by the program itself: what is killed is what `make` would start. */
  static light(directory: string, environment: Readonly<Record<string, string>> = {}, ...flags: string[]): Demo {
    const argv = [process.execPath, join(tree, 'testbed/demo/start.ts'), ...flags]
    return new Demo(directory, argv, { LIGHT: '1', ...environment })
  }

  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit')
    return this.#child.exitCode
  }

  async says(text: string, timeoutMs = 120_000): Promise<void> {
    await eventually(
      `the demo says: ${text}`,
      () => {
        if (this.#child.exitCode !== null) throw new Error(this.output)
        return this.output.includes(text)
      },
      timeoutMs,
      5,
    )
  }

  async runs(program: string): Promise<void> {
    await eventually(`${program} runs`, () => programsOf(this.tag).includes(program), 60_000, 5)
  }

  /** Comes back when it is dead: what it leaves behind is looked for after that. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended()
  }

  pressCtrlC(): void {
    process.kill(-this.#child.pid!, 'SIGINT')
  }
}
