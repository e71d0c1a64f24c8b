import { spawn } from 'node:child_process'
import { ResourceError } from './resource-error.ts'

export type ProgramLimits = {
  /** Wall-clock limit; then the program's whole process group is killed. */
  readonly timeoutMs: number
  /** More bytes than this on standard output is an error, for each program: 64 KiB unless told. */
  readonly maxOutputBytes?: number
}

export type ProgramOutput = { readonly stdout: string; readonly stderr: string }

const defaultMaxOutputBytes = 64 * 1024
const maxErrorBytes = 4 * 1024
const maxErrorText = 512

/** Nothing is inherited: what a program does must not depend on who started the agent. */
const environment = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C.UTF-8',
  SYSTEMD_COLORS: '0',
  SYSTEMD_PAGER: '',
} as const

/** A program that ended with another exit code than 0. */
class ProgramFailedError extends ResourceError {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null

  constructor(file: string, exitCode: number | null, signal: NodeJS.Signals | null, stderr: string) {
    const end = exitCode === null ? `was ended by ${signal}` : `failed with exit code ${exitCode}`
    super('act', 'ProgramFailed', `${file} ${end}: ${printable(stderr) || 'it printed nothing on standard error'}`)
    this.name = 'ProgramFailedError'
    this.exitCode = exitCode
  }
}

/** One line of bounded length without control characters: what a program prints ends in logs and in status fields. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is to be removed
  const line = text.replaceAll(/[\u0000-\u0020\u007f-\u009f]+/g, ' ').trim()
  return line.length > maxErrorText ? `${line.slice(0, maxErrorText)}…` : line
}

/**
 * Runs one program: no shell, fixed environment, empty standard input, its own process group.
 * Throws `ProgramFailedError`, or `ResourceError` with code `ProgramMissing`, `ProgramTimeout`, `ProgramOutputTooLong`;
 * an aborted `signal` kills the group and throws its reason.
 */
export function runProgram(
  file: string,
  args: readonly string[],
  limits: ProgramLimits,
  signal: AbortSignal,
): Promise<ProgramOutput> {
  const maxOutputBytes = limits.maxOutputBytes ?? defaultMaxOutputBytes
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error)
      return
    }
    // detached: a process group of its own, so that the limit ends the program's children too.
    const child = spawn(file, args, { detached: true, env: environment, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    let stdoutBytes = 0
    let stderrBytes = 0

    const stop = (reason: unknown): void => {
      settle()
      if (child.pid !== undefined) killGroup(child.pid)
      // A grandchild that has left the group may hold the pipes open for ever: do not wait for it.
      child.stdout.destroy()
      child.stderr.destroy()
      reject(reason)
    }
    const abort = (): void => stop(signal.reason)
    const timer = setTimeout(() => {
      stop(
        new ResourceError('act', 'ProgramTimeout', `${file} did not end within ${limits.timeoutMs} ms and was killed`),
      )
    }, limits.timeoutMs)
    const settle = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
    signal.addEventListener('abort', abort, { once: true })

    child.stdout.on('data', (chunk: Buffer) => {
      stdoutBytes += chunk.length
      if (stdoutBytes <= maxOutputBytes) stdout.push(chunk)
      else stop(new ResourceError('act', 'ProgramOutputTooLong', `${file} printed more than ${maxOutputBytes} bytes`))
    })
    child.stderr.on('data', (chunk: Buffer) => {
      if (stderrBytes < maxErrorBytes) stderr.push(chunk.subarray(0, maxErrorBytes - stderrBytes))
      stderrBytes += chunk.length
    })
    child.once('error', (cause) => {
      settle()
      reject(new ResourceError('act', 'ProgramMissing', `${file} cannot be started: ${cause.message}`, { cause }))
    })
    child.once('close', (exitCode, exitSignal) => {
      settle()
      const errors = Buffer.concat(stderr).toString()
      if (exitCode === 0) resolve({ stdout: Buffer.concat(stdout).toString(), stderr: errors })
      else reject(new ProgramFailedError(file, exitCode, exitSignal, errors))
    })
  })
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // The group has ended by itself in the meantime.
  }
}
