import { agentUnit } from './host-paths.ts'
import type { HostPrograms, ProgramResult } from './host-programs.ts'
import { InstallerError } from './installer-error.ts'

export type UnitState = {
  /** `not-found` where systemd does not know it. */
  readonly loadState: string
  readonly activeState: string
  readonly subState: string
  readonly result: string
  /** Exit status of the last process that ended. */
  readonly exitStatus: string
  /** 0: none. */
  readonly mainPid: number
  /** What systemd knows of the unit is older than its files. */
  readonly needsReload: boolean
}

const program = '/usr/bin/systemctl'
const queryTimeoutMs = 10_000
/** The unit is given 30 s to stop; a start waits for nothing. */
const jobTimeoutMs = 60_000

const properties = [
  ...['LoadState', 'ActiveState', 'SubState', 'Result', 'ExecMainStatus', 'MainPID', 'NeedDaemonReload'],
] as const

/** The agent's unit, by the host's own systemctl. Each method throws InstallerError `HostProgramFailed`, or the reason of the signal. */
export class AgentUnit {
  readonly #run: HostPrograms

  constructor(run: HostPrograms) {
    this.#run = run
  }

  async show(signal: AbortSignal): Promise<UnitState> {
    const text = await this.#must(
      ['show', `--property=${properties.join(',')}`, '--', agentUnit],
      queryTimeoutMs,
      signal,
    )
    const value = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1] ?? ''
    return {
      ...{ loadState: value('LoadState'), activeState: value('ActiveState'), subState: value('SubState') },
      ...{ result: value('Result'), exitStatus: value('ExecMainStatus'), mainPid: Number(value('MainPID')) },
      needsReload: value('NeedDaemonReload') === 'yes',
    }
  }

  /** As it is on disk; what systemd has loaded may be older. */
  async isEnabled(signal: AbortSignal): Promise<boolean> {
    const args = ['is-enabled', '--', agentUnit]
    const result = await this.#run([program, ...args], queryTimeoutMs, signal)
    // Whatever is not `enabled` is told by its exit code too; without a word it could not be found out.
    if (result.stdout.trim() === '') throw failed(args, result)
    return result.stdout.trim() === 'enabled'
  }

  /** A daemon-reload is the caller's, who may have other reasons for one. */
  async setEnabled(enabled: boolean, signal: AbortSignal): Promise<void> {
    await this.#must(['--no-reload', enabled ? 'enable' : 'disable', '--', agentUnit], queryTimeoutMs, signal)
  }

  /** Waits for the job's end. */
  async change(verb: 'start' | 'restart' | 'stop' | 'reset-failed', signal: AbortSignal): Promise<void> {
    await this.#must([verb, '--', agentUnit], jobTimeoutMs, signal)
  }

  async reload(signal: AbortSignal): Promise<void> {
    await this.#must(['daemon-reload'], jobTimeoutMs, signal)
  }

  async #must(args: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<string> {
    const result = await this.#run([program, ...args], timeoutMs, signal)
    if (result.exitCode === 0) return result.stdout
    throw failed(args, result)
  }
}

function failed(args: readonly string[], { exitCode, stderr }: ProgramResult): InstallerError {
  const words = stderr.trim().replaceAll(/\s+/g, ' ').slice(0, 300) || 'it printed nothing'
  return new InstallerError('HostProgramFailed', `systemctl ${args.join(' ')}: exit ${exitCode}: ${words}`)
}
