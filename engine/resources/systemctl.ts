import { ResourceError } from '../resource-error.ts'
import type { System } from '../system.ts'

/** Under this name the agent runs: deploy/systemd/keelson-agent.service. */
export const agentUnit = 'keelson-agent.service'

const systemctl = '/usr/bin/systemctl'
/** Above systemd's own default for starting and for stopping a unit (90 s), so that its verdict is heard. */
const jobTimeoutMs = 120_000
const queryTimeoutMs = 10_000

export type UnitState = {
  /** The unit's own name, also where it was asked for by an alias: systemctl enables and disables by this only. */
  readonly name: string
  readonly loadState: string
  readonly activeState: string
  readonly subState: string
  readonly unitFileState: string
  readonly canStart: boolean
  readonly canStop: boolean
  readonly canReload: boolean
  /** False: at its last start one of Condition…= did not hold, or it was never started. Of a forgotten oneshot nobody knows: true. */
  readonly conditionsHeld: boolean
  readonly isAgent: boolean
  /** To stop it stops the agent: it is the agent, or the agent depends on it. */
  readonly stopsAgent: boolean
  /** To start it stops the agent: it begins a shutdown. */
  readonly shutsDown: boolean
}

const stopPropagation = ['RequiredBy', 'RequisiteOf', 'BoundBy', 'ConsistsOf', 'PropagatesStopTo'] as const
const requirements = ['Requires', 'BindsTo', 'Wants'] as const
const state = ['Id', 'Type', 'LoadState', 'ActiveState', 'SubState', 'UnitFileState'] as const
const conditions = ['ConditionResult', 'ConditionTimestampMonotonic'] as const
const abilities = ['CanStart', 'CanStop', 'CanReload'] as const
const properties = [...state, ...conditions, ...abilities, ...stopPropagation, ...requirements]
type Property = (typeof properties)[number]

/** What systemd knows of a unit; of one that it does not know, that (`loadState` is `not-found`). */
export async function showUnit(system: System, unit: string, signal: AbortSignal): Promise<UnitState> {
  const show = [systemctl, '--no-pager', 'show', `--property=${properties.join(',')}`, '--', unit] as const
  const { stdout } = await system.run(show, { timeoutMs: queryTimeoutMs }, signal)
  return parseShow(stdout)
}

/** Throws `UnitActionFailed` where systemctl or the job that it waits for fails. */
export async function changeUnit(
  system: System,
  action: readonly [verb: string, ...options: string[]],
  unit: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    const argv = [systemctl, '--no-ask-password', ...action, '--', unit] as const
    await system.run(argv, { timeoutMs: jobTimeoutMs }, signal)
  } catch (error) {
    if (!(error instanceof ResourceError)) throw error
    const code = error.code === 'ProgramFailed' ? 'UnitActionFailed' : error.code
    const message = `systemctl ${action.join(' ')} ${unit}: ${error.message}; see journalctl -u ${unit} on the host`
    throw new ResourceError('act', code, message, { cause: error })
  }
}

/** `NAME=value` lines, in any order; properties that this systemd does not know are missing. */
function parseShow(output: string): UnitState {
  const shown = new Map<string, string>()
  for (const line of output.split('\n')) {
    const equals = line.indexOf('=')
    if (equals > 0) shown.set(line.slice(0, equals), line.slice(equals + 1))
  }
  const text = (property: Property): string => shown.get(property) ?? ''
  const lists = (names: readonly Property[], unit: string): boolean =>
    names.some((property) => text(property).split(' ').includes(unit))
  const isAgent = text('Id') === agentUnit
  // systemd forgets a unit that nothing holds once it is done, and with it that its conditions held.
  const isForgotten = text('Type') === 'oneshot' && text('ConditionTimestampMonotonic') === '0'
  return {
    name: text('Id'),
    loadState: text('LoadState'),
    activeState: text('ActiveState'),
    subState: text('SubState'),
    unitFileState: text('UnitFileState'),
    canStart: text('CanStart') === 'yes',
    canStop: text('CanStop') === 'yes',
    canReload: text('CanReload') === 'yes',
    conditionsHeld: text('ConditionResult') === 'yes' || isForgotten,
    isAgent,
    stopsAgent: isAgent || lists(stopPropagation, agentUnit),
    // Every service conflicts with this target unless it says otherwise.
    shutsDown: lists(requirements, 'shutdown.target'),
  }
}
