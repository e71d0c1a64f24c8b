import { spawn } from 'node:child_process'

export type CommandResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string }

export type CommandOptions = {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly input?: string
  /** Milliseconds until the program is killed; the default is two minutes. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Receives each complete line of stdout and stderr as it comes. */
  readonly onLine?: (line: string) => void
}

/** A program ended otherwise than asked; the message carries its last words. */
export class CommandError extends Error {
  readonly code = 'COMMAND_FAILED'
  readonly result: CommandResult

  constructor(argv: readonly string[], result: CommandResult) {
    const words = (result.stderr.trim() || result.stdout.trim()).slice(-2_000)
    super(`${argv.join(' ').slice(0, 300)}: exit ${result.exitCode}${words === '' ? '' : `\n${words}`}`)
    this.name = 'CommandError'
    this.result = result
  }
}

const outputLimit = 32 * 1024 * 1024

/** Runs a program by argv, never by a shell, and gives back how it ended; a program killed by a signal has exit code 128 + n or 137. */
export async function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program, ...args] = argv
  if (program === undefined) throw new TypeError('argv is empty')
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 120_000,
    killSignal: 'SIGKILL',
    signal: options.signal,
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    let rest = ''
    child[name].setEncoding('utf8').on('data', (text: string) => {
      if (output[name].length < outputLimit) output[name] += text
      if (options.onLine === undefined) return
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) options.onLine(line)
    })
  }
  // A program that ends without reading its input is judged by its exit code, not by our broken pipe.
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ exitCode: code ?? 137, ...output }))
  })
}

/** As {@link runCommand}, but anything but exit 0 throws {@link CommandError}. */
export async function mustRun(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const result = await runCommand(argv, options)
  if (result.exitCode !== 0) throw new CommandError(argv, result)
  return result
}
