import { setTimeout as sleep } from 'node:timers/promises'
import { textOf } from './host-files.ts'
import type { AgentUnit } from './systemctl.ts'

export type HealthOptions = {
  readonly unit: AgentUnit
  /** Path of the file in which the agent says that it listens. */
  readonly running: string
  /** That the agent is to have. */
  readonly version: string
}

export type Patience = {
  /** How long it may take until all is well, milliseconds. */
  readonly timeoutMs: number
  /** For how long it must then stay so. */
  readonly steadyMs: number
  readonly pollMs: number
}

type Sight = { readonly pid: number; readonly problem: string | undefined }

/** What is wrong with the agent, as systemd and the agent itself tell, as a sentence without its subject; undefined where nothing is. */
export async function agentProblem(options: HealthOptions, signal: AbortSignal): Promise<string | undefined> {
  return (await look(options, signal)).problem
}

/**
 * Waits until the agent is at work in the wanted version and has been so for a while, as one process.
 *
 * @returns what is still wrong when the time is over; undefined: it is well
 */
export async function awaitAgent(
  options: HealthOptions,
  { timeoutMs, steadyMs, pollMs }: Patience,
  signal: AbortSignal,
): Promise<string | undefined> {
  const end = performance.now() + timeoutMs
  let wellSince: number | undefined
  let pid = 0
  for (;;) {
    const sight = await look(options, signal)
    const now = performance.now()
    if (sight.problem !== undefined) wellSince = undefined
    else if (wellSince === undefined || sight.pid !== pid) wellSince = now
    pid = sight.pid
    if (wellSince !== undefined && now - wellSince >= steadyMs) return undefined
    if (now >= end && (wellSince === undefined || wellSince > end))
      return sight.problem ?? 'it does not stay up: its process is another one again and again'
    await sleep(pollMs, undefined, { signal })
  }
}

async function look({ unit, running, version }: HealthOptions, signal: AbortSignal): Promise<Sight> {
  const { activeState, subState, result, exitStatus, mainPid: pid } = await unit.show(signal)
  const sight = (problem?: string): Sight => ({ pid, problem })
  if (activeState !== 'active') {
    const last = result === 'success' || result === '' ? '' : `; last end: ${result}, status ${exitStatus}`
    return sight(`its unit is ${activeState} (${subState}${last})`)
  }
  const told = parse(await textOf(running))
  if (told === undefined) return sight('it has not said that it listens')
  if (told.pid !== pid) return sight('what said that it listens is another process')
  if (told.version !== version) return sight(`it is version ${told.version} instead of ${version}`)
  return sight()
}

function parse(text: string | undefined): { readonly pid: number; readonly version: string } | undefined {
  try {
    const told = JSON.parse(text ?? '') as Readonly<Record<string, unknown>> | null
    const { pid, version } = told ?? {}
    return typeof pid === 'number' && typeof version === 'string' ? { pid, version } : undefined
  } catch {
    return undefined
  }
}
