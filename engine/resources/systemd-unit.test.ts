import { describe, expect, test } from 'vitest'
import { changeResource, readResource, type Parameters } from '../change-resource.ts'
import type { ResourceError } from '../resource-error.ts'
import { TemporaryHost } from '../temporary-host.fixture.ts'
import { systemdUnit } from './systemd-unit.ts'

const signal = new AbortController().signal

type Properties = Readonly<Record<string, string>>

const idle: Properties = {
  Requires: 'system.slice sysinit.target',
  Wants: '',
  RequiredBy: '',
  Id: 'web.service',
  LoadState: 'loaded',
  ActiveState: 'inactive',
  SubState: 'dead',
  UnitFileState: 'disabled',
  CanStart: 'yes',
  CanStop: 'yes',
  CanReload: 'yes',
  ConditionResult: 'yes',
  ConditionTimestampMonotonic: '1',
  Type: 'simple',
}
const running: Properties = { ...idle, ActiveState: 'active', SubState: 'running' }
const unknown: Properties = { ...idle, Id: 'nope.service', LoadState: 'not-found', UnitFileState: '' }

/** `show` prints the files that stand for what systemd knows; every verb is written down and does what it does to them. */
const systemctl = `
for unit; do :; done
set -- "$@" end
while [ "$1" != end ]; do case $1 in
  show) cat "$root/unit"; exit;;
  start|restart|reload) verb=$1; state=active sub=running;;
  stop) verb=$1; state=inactive sub=dead;;
  enable|disable) verb="$1"; [ "$2" = --runtime ] && verb="$1 $2";;
esac; shift; done
echo "$verb $unit" >> "$root/calls"
case $verb in
  enable) sed -i "s/^UnitFileState=.*/UnitFileState=enabled/" "$root/unit";;
  disable*) sed -i "s/^UnitFileState=.*/UnitFileState=disabled/" "$root/unit";;
  *) sed -i "s/^ActiveState=.*/ActiveState=$state/; s/^SubState=.*/SubState=$sub/" "$root/unit";;
esac`

async function host(properties: Properties, program = systemctl): Promise<TemporaryHost> {
  const unit = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`)
  const made = await TemporaryHost.create({ '/unit': unit.join(''), '/calls': '' })
  await made.program('/usr/bin/systemctl', program)
  return made
}

const get = (on: TemporaryHost, parameters: Parameters) => readResource(systemdUnit, on.system, parameters, signal)
const post = (on: TemporaryHost, parameters: Parameters) =>
  changeResource(systemdUnit, on.system, { name: 'web.service', ...parameters }, signal)

describe('GET', () => {
  test('the five fields, by the unit’s own name', async () => {
    await using a = await host(running)
    expect(await get(a, { name: 'www.service' })).toEqual({
      name: 'web.service',
      loadState: 'loaded',
      activeState: 'active',
      subState: 'running',
      unitFileState: 'disabled',
    })
  })

  test('asks systemctl with the name after --', async () => {
    await using a = await host(running, 'printf "%s\\n" "$*" >> "$root/calls"; cat "$root/unit"')
    await get(a, { name: '-x.service' })
    expect(await a.text('/calls')).toMatch(/^--no-pager show --property=[A-Za-z,]+ -- -x\.service\n$/)
  })

  test('a unit that is not there', async () => {
    await using a = await host(unknown)
    await expect(get(a, { name: 'nope.service' })).rejects.toMatchObject({
      kind: 'parameter',
      code: 'UnitUnknown',
      field: 'name',
    })
  })

  test('a unit that runs on after its file was removed', async () => {
    await using a = await host({ ...unknown, ActiveState: 'active' })
    expect(await get(a, { name: 'nope.service' })).toMatchObject({ loadState: 'not-found', activeState: 'active' })
  })

  test.each([
    'a.service',
    'a@b.service',
    'a@b@c.timer',
    'a:b-c_d.e\\x2df.socket',
    '-a.path',
    `${'a'.repeat(247)}.service`,
  ])('takes the name %s', async (name) => {
    await using a = await host(idle)
    expect(await get(a, { name })).toMatchObject({ loadState: 'loaded' })
  })

  test.each([
    '',
    'a',
    '.service',
    'a.target',
    'a.mount',
    'a.slice',
    'a.device',
    'a@.service',
    '@b.service',
    'a b.service',
    'a/b.service',
    'a*.service',
    '[a].service',
    'a.service\n',
    'a.service b.service',
    'é.service',
    `${'a'.repeat(248)}.service`,
  ])('refuses the name %j', async (name) => {
    await using a = await host(idle)
    await expect(get(a, { name })).rejects.toMatchObject({ kind: 'parameter', code: 'ValueRefused', field: 'name' })
  })
})

describe('POST', () => {
  test.each([
    ['start', idle, { state: 'started' }, 'start web.service\n'],
    ['start what runs', running, { state: 'started' }, ''],
    ['start what has failed', { ...idle, ActiveState: 'failed' }, { state: 'started' }, 'start web.service\n'],
    ['start what is on its way', { ...idle, ActiveState: 'activating' }, { state: 'started' }, 'start web.service\n'],
    ['stop', running, { state: 'stopped' }, 'stop web.service\n'],
    ['stop what does not run', idle, { state: 'stopped' }, ''],
    ['stop what has failed', { ...idle, ActiveState: 'failed' }, { state: 'stopped' }, ''],
    ['stop what is on its way', { ...idle, ActiveState: 'activating' }, { state: 'stopped' }, 'stop web.service\n'],
    ['restart', running, { state: 'restarted' }, 'restart web.service\n'],
    ['restart what does not run', idle, { state: 'restarted' }, 'restart web.service\n'],
    ['reload', running, { state: 'reloaded' }, 'reload web.service\n'],
    ['enable', idle, { enabled: 'true' }, 'enable web.service\n'],
    ['enable what is enabled', { ...idle, UnitFileState: 'enabled' }, { enabled: 'true' }, ''],
    ['enable for good', { ...idle, UnitFileState: 'enabled-runtime' }, { enabled: 'true' }, 'enable web.service\n'],
    ['disable', { ...idle, UnitFileState: 'enabled' }, { enabled: 'false' }, 'disable web.service\n'],
    [
      'disable until reboot',
      { ...idle, UnitFileState: 'enabled-runtime' },
      { enabled: 'false' },
      'disable --runtime web.service\n',
    ],
    ['disable what is disabled', idle, { enabled: 'false' }, ''],
    ['disable what has no [Install]', { ...idle, UnitFileState: 'static' }, { enabled: 'false' }, ''],
    ['disable what is linked', { ...idle, UnitFileState: 'linked' }, { enabled: 'false' }, ''],
    ['start and enable', idle, { state: 'started', enabled: 'true' }, 'start web.service\nenable web.service\n'],
    ['stop a masked unit', { ...running, LoadState: 'masked' }, { state: 'stopped' }, 'stop web.service\n'],
  ])('%s', async (_case, properties: Properties, parameters: Parameters, calls) => {
    await using a = await host(properties)
    expect(await post(a, parameters)).toMatchObject({ changed: calls !== '' })
    expect(await a.text('/calls')).toBe(calls)
  })

  test('answers what was and what is', async () => {
    await using a = await host(idle)
    expect(await post(a, { state: 'started', enabled: 'true' })).toEqual({
      changed: true,
      before: {
        name: 'web.service',
        loadState: 'loaded',
        activeState: 'inactive',
        subState: 'dead',
        unitFileState: 'disabled',
      },
      after: {
        name: 'web.service',
        loadState: 'loaded',
        activeState: 'active',
        subState: 'running',
        unitFileState: 'enabled',
      },
    })
  })

  test('acts by the unit’s own name: an alias cannot be enabled, and vanishes when the unit is disabled', async () => {
    await using a = await host({ ...running, UnitFileState: 'enabled' })
    const vanishing = `case "$*" in *show*www.service) grep -q =disabled "$root/unit" && cat "$root/unknown" && exit;; esac`
    await a.program('/usr/bin/systemctl', `${vanishing}\n${systemctl}`)
    await a.write('/unknown', 'Id=www.service\nLoadState=not-found\nActiveState=inactive\n')
    const body = { name: 'www.service', state: 'stopped', enabled: 'false' }
    expect(await changeResource(systemdUnit, a.system, body, signal)).toMatchObject({
      after: { name: 'web.service', activeState: 'inactive', unitFileState: 'disabled' },
    })
    expect(await a.text('/calls')).toBe('stop web.service\ndisable web.service\n')
  })

  test.each([
    ['neither state nor enabled', {}, 'ParameterMissing', 'state'],
    ['another state', { state: 'running' }, 'ValueRefused', 'state'],
    ['enabled as a word', { enabled: 'yes' }, 'ValueRefused', 'enabled'],
    ['another parameter', { state: 'started', force: 'true' }, 'ParameterUnknown', 'force'],
  ])('refuses %s', async (_case, parameters: Parameters, code, field) => {
    await using a = await host(idle)
    await expect(post(a, parameters)).rejects.toMatchObject({ kind: 'parameter', code, field })
  })

  test.each([
    ['masked: start', { ...idle, LoadState: 'masked' }, { state: 'started' }, 'UnitMasked', 'state'],
    [
      'masked: enable',
      { ...idle, LoadState: 'masked', UnitFileState: 'masked' },
      { enabled: 'true' },
      'UnitMasked',
      'enabled',
    ],
    ['broken unit file', { ...idle, LoadState: 'bad-setting' }, { state: 'started' }, 'UnitNotLoaded', 'state'],
    ['no [Install]', { ...idle, UnitFileState: 'static' }, { enabled: 'true' }, 'UnitCannotBeEnabled', 'enabled'],
    [
      'generated: enable',
      { ...idle, UnitFileState: 'generated' },
      { enabled: 'true' },
      'UnitCannotBeEnabled',
      'enabled',
    ],
    [
      'generated: disable',
      { ...idle, UnitFileState: 'generated' },
      { enabled: 'false' },
      'UnitCannotBeDisabled',
      'enabled',
    ],
    ['no ExecReload=', { ...running, CanReload: 'no' }, { state: 'reloaded' }, 'UnitCannotReload', 'state'],
    ['reload what does not run', idle, { state: 'reloaded' }, 'UnitNotActive', 'state'],
    ['RefuseManualStart=', { ...idle, CanStart: 'no' }, { state: 'started' }, 'UnitRefusesStart', 'state'],
    ['RefuseManualStop=', { ...running, CanStop: 'no' }, { state: 'stopped' }, 'UnitRefusesStop', 'state'],
    [
      'start and a refused enable',
      { ...idle, UnitFileState: 'static' },
      { state: 'started', enabled: 'true' },
      'UnitCannotBeEnabled',
      'enabled',
    ],
  ])(
    '%s: refused by the state of the host, and nothing is done',
    async (_case, properties: Properties, parameters: Parameters, code, field) => {
      await using a = await host(properties)
      await expect(post(a, parameters)).rejects.toMatchObject({ kind: 'state', code, field })
      expect(await a.text('/calls')).toBe('')
    },
  )

  const agent: Properties = { ...running, Id: 'keelson-agent.service', UnitFileState: 'enabled' }
  const needed: Properties = { ...running, RequiredBy: 'other.service keelson-agent.service' }
  const shutdown: Properties = { ...idle, Id: 'systemd-reboot.service', Requires: 'umount.target shutdown.target' }

  test.each([
    ['stop the agent', agent, { state: 'stopped' }],
    ['stop the agent although it seems stopped', { ...agent, ActiveState: 'inactive' }, { state: 'stopped' }],
    ['restart the agent', agent, { state: 'restarted' }],
    ['disable the agent', agent, { enabled: 'false' }],
    ['stop what the agent needs', needed, { state: 'stopped' }],
    ['restart what the agent needs', needed, { state: 'restarted' }],
    ['stop what the agent is bound to', { ...running, BoundBy: 'keelson-agent.service' }, { state: 'stopped' }],
    ['stop what the agent is part of', { ...running, ConsistsOf: 'keelson-agent.service' }, { state: 'stopped' }],
    ['begin a shutdown', shutdown, { state: 'started' }],
    ['begin a shutdown by restart', shutdown, { state: 'restarted' }],
  ])('%s: WouldStopAgent', async (_case, properties: Properties, parameters: Parameters) => {
    await using a = await host(properties)
    // By an alias: what counts is whom it names.
    const body = { name: 'alias.service', ...parameters }
    await expect(changeResource(systemdUnit, a.system, body, signal)).rejects.toMatchObject({
      kind: 'state',
      code: 'WouldStopAgent',
    })
    expect(await a.text('/calls')).toBe('')
  })

  test('the agent may be asked to be as it is', async () => {
    await using a = await host(agent)
    expect(await post(a, { state: 'started', enabled: 'true' })).toMatchObject({ changed: false })
  })

  test('what needs not the agent but is needed by others can be stopped', async () => {
    await using a = await host({ ...running, RequiredBy: 'not-keelson-agent.service', Wants: 'not-shutdown.target' })
    expect(await post(a, { state: 'restarted' })).toMatchObject({ changed: true })
  })

  const failing = `
case "$*" in *show*) cat "$root/unit"; exit;; esac
printf 'Job for web.service failed because the control process exited with error code.\\n' >&2
exit 1`

  test('a job that fails: 500 with the unit, what systemctl said and where to look; it is not enabled', async () => {
    await using a = await host(idle, failing)
    await expect(post(a, { state: 'started', enabled: 'true' })).rejects.toMatchObject({
      kind: 'act',
      code: 'UnitActionFailed',
      message: expect.stringMatching(
        /systemctl start web\.service: .*control process.*journalctl -u web\.service/,
      ) as string,
    })
    expect(await a.text('/unit')).toContain('UnitFileState=disabled')
  })

  const dies = `case "$*" in *show*) cat "$root/unit";; *) sed -i s/=inactive/=failed/ "$root/unit";; esac`

  test('a service that dies at once although systemctl was content', async () => {
    await using a = await host(idle, dies)
    await expect(post(a, { state: 'started' })).rejects.toMatchObject({ kind: 'act', code: 'UnitActionFailed' })
  })

  const unmet = `case "$*" in *show*) cat "$root/unit";; *) sed -i s/ConditionResult=yes/ConditionResult=no/ "$root/unit";; esac`

  test('a unit whose conditions do not hold has not been started', async () => {
    await using a = await host(idle, unmet)
    await expect(post(a, { state: 'started' })).rejects.toMatchObject({ kind: 'act', code: 'UnitConditionFailed' })
  })

  test('a oneshot service that has done its work has been started', async () => {
    await using a = await host(idle, 'case "$*" in *show*) cat "$root/unit";; esac')
    expect(await post(a, { state: 'started' })).toMatchObject({ changed: true, after: { activeState: 'inactive' } })
  })

  test.each([
    ['a oneshot service that systemd has forgotten since', 'oneshot', '0', '200'],
    ['a oneshot service whose conditions do not hold', 'oneshot', '7', 'UnitConditionFailed'],
    ['a service that is gone at once and forgotten', 'simple', '0', 'UnitConditionFailed'],
  ])('%s', async (_case, Type, stamp, expected) => {
    const forget = `s/ConditionResult=yes/ConditionResult=no/; s/(Condition.*Monotonic)=1/\\1=${stamp}/`
    const program = `case "$*" in *show*) cat "$root/unit";; *) sed -i -E '${forget}' "$root/unit";; esac`
    await using a = await host({ ...idle, Type }, program)
    const outcome = await post(a, { state: 'started' }).then(
      () => '200',
      (error: unknown) => (error as ResourceError).code,
    )
    expect(outcome).toBe(expected)
  })
})
