import { z } from 'zod'
import { ResourceError } from '../resource-error.ts'
import type { Change, Fields, ResourceType } from '../resource-type.ts'
import { agentUnit, changeUnit, showUnit, type UnitState } from './systemctl.ts'

type Subject = { readonly name: string }
type Desired = Subject & {
  readonly state?: 'started' | 'stopped' | 'restarted' | 'reloaded' | undefined
  readonly enabled?: 'true' | 'false' | undefined
}

/** systemd.unit(5), "Valid unit names"; an instance stands between @ and the suffix. A template itself cannot run. */
const namePattern = /^[A-Za-z0-9:_.\\-]+(@[A-Za-z0-9:_.\\@-]+)?[.](service|socket|timer|path)$/

const name = z
  .string()
  .max(255, 'a unit name has at most 255 characters')
  .regex(
    namePattern,
    'a unit name is made of letters, digits and : _ . \\ - (and @ before an instance) and ends with .service, .socket, .timer or .path',
  )

const Body = z
  .strictObject({
    name,
    state: z.enum(['started', 'stopped', 'restarted', 'reloaded']).optional(),
    enabled: z.enum(['true', 'false']).optional(),
  })
  .refine(({ state, enabled }) => state !== undefined || enabled !== undefined, {
    message: 'nothing to do: give state, enabled or both',
    path: ['state'],
    params: { code: 'ParameterMissing' },
  })

/** A unit of systemd: systemd.unit(5). GET `name=U`; POST `{"name": U, "state"?, "enabled"?}`; fields as in `systemctl show`. */
export const systemdUnit: ResourceType<Subject, Desired, UnitState> = {
  name: 'systemdUnit',
  version: 1,
  query: z.strictObject({ name }),
  body: Body,

  async read(system, subject, signal) {
    const state = await showUnit(system, subject.name, signal)
    // One whose file was removed while it runs is known still, and can be stopped.
    if (state.loadState === 'not-found' && state.activeState === 'inactive') {
      throw new ResourceError('parameter', 'UnitUnknown', `this host has no unit ${subject.name}`, { field: 'name' })
    }
    return state
  },

  fields({ name: unit, loadState, activeState, subState, unitFileState }) {
    return { name: unit, loadState, activeState, subState, unitFileState } satisfies Fields
  },

  diff(state, desired) {
    const run = desired.state === undefined ? undefined : runChange(state, desired.state)
    const enablement = desired.enabled === undefined ? undefined : enablementChange(state, desired.enabled === 'true')
    return [run, enablement].filter((change) => change !== undefined)
  },

  /** To run first, then to last: a unit that does not start must not be tried again at every boot. */
  async apply(system, { state, desired, changes }, signal) {
    for (const { field, from, to } of changes) {
      if (field === 'activeState' && desired.state !== undefined) {
        await changeUnit(system, [verbs[desired.state]], state.name, signal)
        if (to === 'active') refuseFalseStart(await this.read(system, state, signal))
      } else if (to === 'enabled') {
        await changeUnit(system, ['enable'], state.name, signal)
      } else {
        // What only /run enables is not found by a plain disable.
        const action = from === 'enabled-runtime' ? (['disable', '--runtime'] as const) : (['disable'] as const)
        await changeUnit(system, action, state.name, signal)
      }
    }
  },
}

const verbs = { started: 'start', stopped: 'stop', restarted: 'restart', reloaded: 'reload' } as const

function runChange(state: UnitState, wanted: NonNullable<Desired['state']>): Change | undefined {
  const { name: unit, activeState } = state
  const change = (to: string): Change => ({ field: 'activeState', from: activeState, to })
  const stops = wanted === 'stopped' || wanted === 'restarted'
  if ((stops && state.stopsAgent) || (wanted !== 'stopped' && state.shutsDown)) throw wouldStopAgent(state, 'state')
  if (wanted === 'stopped') {
    if (activeState === 'inactive' || activeState === 'failed') return undefined
    if (!state.canStop) {
      throw refusal('UnitRefusesStop', `${unit} cannot be stopped by hand (RefuseManualStop=)`, 'state')
    }
    return change('inactive')
  }
  refuseUnusable(state, 'state')
  if (wanted === 'reloaded') {
    if (activeState !== 'active') {
      throw refusal('UnitNotActive', `${unit} does not run, so it cannot reload: start it`, 'state')
    }
    if (!state.canReload) {
      throw refusal('UnitCannotReload', `${unit} has no way to reload (ExecReload=): restart it`, 'state')
    }
    return change('active')
  }
  if (wanted === 'started' && (activeState === 'active' || activeState === 'reloading')) return undefined
  if (!state.canStart) {
    throw refusal('UnitRefusesStart', `${unit} cannot be started by hand (RefuseManualStart=)`, 'state')
  }
  return change('active')
}

/** systemctl is content with a unit whose conditions are not met, and does not wait to see whether a simple service dies at once. */
function refuseFalseStart({ name: unit, activeState, conditionsHeld }: UnitState): void {
  if (activeState === 'failed') {
    throw new ResourceError(
      'act',
      'UnitActionFailed',
      `${unit} failed right after its start: see journalctl -u ${unit} on the host`,
    )
  }
  if (activeState === 'inactive' && !conditionsHeld) {
    const message = `${unit} did not start as one of its conditions does not hold: see systemctl status ${unit} on the host`
    throw new ResourceError('act', 'UnitConditionFailed', message)
  }
}

/** `linked` is not among them: to disable such a unit would remove the link by which systemd knows it. */
const enabledStates: ReadonlySet<string> = new Set(['enabled', 'enabled-runtime'])
const enableableStates: ReadonlySet<string> = new Set(['disabled', 'enabled-runtime', 'linked', 'linked-runtime'])

function enablementChange(state: UnitState, wanted: boolean): Change | undefined {
  const { name: unit, unitFileState } = state
  const change = (to: string): Change => ({ field: 'unitFileState', from: unitFileState, to })
  if (!wanted) {
    if (state.isAgent) throw wouldStopAgent(state, 'enabled')
    if (unitFileState === 'generated') {
      const message = `${unit} is generated at each boot: change what it is generated from (an init script, fstab)`
      throw refusal('UnitCannotBeDisabled', message, 'enabled')
    }
    return enabledStates.has(unitFileState) ? change('disabled') : undefined
  }
  if (unitFileState === 'enabled') return undefined
  refuseUnusable(state, 'enabled')
  if (enableableStates.has(unitFileState)) return change('enabled')
  const why =
    unitFileState === ''
      ? 'it has no unit file'
      : `its unit file is ${unitFileState}: nothing in [Install] says when it should start`
  throw refusal('UnitCannotBeEnabled', `${unit} cannot be enabled: ${why}`, 'enabled')
}

function refuseUnusable({ name: unit, loadState }: UnitState, field: string): void {
  if (loadState === 'masked') {
    throw refusal(
      'UnitMasked',
      `${unit} is masked: somebody forbade it on this host; systemctl unmask allows it again`,
      field,
    )
  }
  if (loadState !== 'loaded') {
    throw refusal(
      'UnitNotLoaded',
      `systemd cannot load ${unit} (${loadState}): see systemd-analyze verify on the host`,
      field,
    )
  }
}

function wouldStopAgent({ name: unit, isAgent }: UnitState, field: string): ResourceError {
  const why = isAgent ? `${unit} is the agent itself` : `it would take ${agentUnit} down`
  return refusal('WouldStopAgent', `${why}: the host could not be managed any more; do it on the host`, field)
}

function refusal(code: string, message: string, field: string): ResourceError {
  return new ResourceError('state', code, message, { field })
}
