import { spawn } from 'node:child_process'
import { InstallerError } from './installer-error.ts'

export type ProgramResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string }

/**
 * Runs a program of the host by its absolute path on the host. Resolves whatever its exit code.
 *
 * @throws InstallerError `HostProgramFailed` where it cannot be started or does not end in time; the reason of the signal, when the program was killed
 */
export type HostPrograms = (
  argv: readonly [program: string, ...args: string[]],
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<ProgramResult>

/** Nothing is inherited. In a changed root systemctl would believe that no systemd runs, unless told. */
const environment = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C.UTF-8',
  SYSTEMD_IGNORE_CHROOT: '1',
  SYSTEMD_COLORS: '0',
  SYSTEMD_PAGER: '',
} as const

const maxOutputLength = 64 * 1024

/** By chroot(1) of our own; on the host itself (`/`) directly. */
export function programsUnder(root: string): HostPrograms {
  return async ([program, ...args], timeoutMs, signal) => {
    signal.throwIfAborted()
    const argv = root === '/' ? args : [root, program, ...args]
    const { promise, resolve, reject } = Promise.withResolvers<ProgramResult>()
    // A process group of its own, so that its children end with it.
    const child = spawn(root === '/' ? program : '/usr/sbin/chroot', argv, {
      ...{ detached: true, env: environment, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] },
    })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        if (output[name].length < maxOutputLength) output[name] += text
      })
    const stop = (reason: unknown): void => {
      if (child.pid !== undefined) killGroup(child.pid)
      child.stdout.destroy()
      child.stderr.destroy()
      reject(reason)
    }
    const abort = (): void => stop(signal.reason)
    const late = (): void => stop(failed(program, `did not end within ${timeoutMs / 1_000} s`))
    const timer = setTimeout(late, timeoutMs)
    signal.addEventListener('abort', abort, { once: true })
    child.once('error', (cause) => reject(failed(program, `cannot be started: ${cause.message}`, cause)))
    child.once('close', (exitCode) => resolve({ exitCode: exitCode ?? -1, ...output }))
    return promise.finally(() => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    })
  }
}

function failed(program: string, problem: string, cause?: unknown): InstallerError {
  return new InstallerError('HostProgramFailed', `${program} of the host ${problem}`, cause)
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}
