import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { DeadlineError } from './deadline.ts'

export type CommandResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string }

export type CommandOptions = {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly input?: string
  /** Milliseconds until the program is killed; the default is two minutes. */
  readonly timeoutMs?: number
}

/** A program ended otherwise than asked; the message carries its last words. */
export class CommandError extends Error {
  readonly code = 'COMMAND_FAILED'
  readonly result: CommandResult

  constructor(argv: readonly string[], result: CommandResult) {
    const words = (result.stderr.trim() || result.stdout.trim()).slice(-2_000)
    super(`${shown(argv)}: exit ${result.exitCode}${words === '' ? '' : `\n${words}`}`)
    this.name = 'CommandError'
    this.result = result
  }
}

/**
 * Before an argv: the program dies with the process that started it, whatever way that dies: the kernel sends the signal (prctl(2),
 * PR_SET_PDEATHSIG). What that program itself started lives on, unless it sees to that.
 */
export const dyingWithStarter = ['setpriv', '--pdeathsig', 'KILL', '--'] as const

/** In UTF-16 units, of stdout and stderr each; what goes beyond is dropped. */
const outputLimit = 32 * 1024 * 1024

function shown(argv: readonly string[]): string {
  return argv.join(' ').slice(0, 300)
}

/**
 * Runs a program by argv, never by a shell, and gives back how it ended; a program killed by a signal has exit code 128 + its number.
 *
 * @throws DeadlineError when the program was killed for its time limit.
 */
export async function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program, ...args] = argv
  if (program === undefined) throw new TypeError('argv is empty')
  const { timeoutMs = 120_000 } = options
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      if (output[name].length < outputLimit) output[name] += text
    })
  // A program that ends without reading its input is judged by its exit code, not by our broken pipe.
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
    // Processes that it left behind may hold them open for ever.
    child.stdout.destroy()
    child.stderr.destroy()
  }, timeoutMs)
  return new Promise<CommandResult>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (late) reject(new DeadlineError(shown(argv), timeoutMs))
      else resolve({ exitCode: code ?? 128 + (signal === null ? 0 : constants.signals[signal]), ...output })
    })
  }).finally(() => clearTimeout(timer))
}

/** As {@link runCommand}, but anything but exit 0 throws {@link CommandError}. */
export async function mustRun(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const result = await runCommand(argv, options)
  if (result.exitCode !== 0) throw new CommandError(argv, result)
  return result
}
