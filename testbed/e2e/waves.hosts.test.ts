import type { HostRequest } from '@keelson/api'
import { expect, test } from 'vitest'
import { mustRun } from '../command.ts'
import { eventually } from '../deadline.ts'
import { CountedUnit } from '../world/counted-unit.ts'
import type { Requests, SpecInput } from '../world/requests.ts'
import { sharedWorld } from '../world/shared-world.ts'
import type { World } from '../world/world.ts'

let world: World
let requests: Requests
let unit: CountedUnit
let names: readonly string[]
sharedWorld({ hosts: 6 }, async (shared) => {
  ;({ world, requests } = shared)
  names = world.lab.hosts.map(({ name }) => name)
  unit = await CountedUnit.install(world.lab.hosts)
})

/** Why it does not go on. */
const stalled = ({ status }: { readonly status?: HostRequest['status'] | undefined }) =>
  status?.conditions.find(({ type, status: holds }) => type === 'Stalled' && holds === 'True')?.reason

const once = (hosts: readonly string[]) => Object.fromEntries(hosts.map((name) => [name, 1]))

test('a canary that does well lets the others follow', async () => {
  await unit.reset()
  const { status } = await requests.send('well', { ...unit.restart(), waves: [1, '50%', '100%'] })
  expect(status).toMatchObject({ state: 'SUCCESS', progress: '6/6', run: { wave: 2 } })
  expect(await unit.starts()).toEqual(once(names))
})

test('a failing canary stops the waves: no other host gets anything', async () => {
  await unit.reset(names)
  const { status } = await requests.send('canary', { ...unit.restart(), waves: [1, '100%'] })
  expect(status).toMatchObject({
    ...{ state: 'ERROR', counts: { targets: 6, succeeded: 0, failed: 1, unknown: 0, skipped: 5 }, run: { wave: 0 } },
    failures: [{ reason: 'HTTPStatus', code: 500 }],
  })
  expect(stalled({ status })).toBe('WaveFailed')
  expect(await unit.starts()).toEqual(once([status!.failures[0]!.host]))
})

test('a failing canary does not stop the waves where onFailure is Continue', async () => {
  await unit.reset(['worker-4'])
  const { status } = await requests.send('continue', {
    ...unit.restart(),
    waves: [1, 2, 3, 4, 5, 6],
    onFailure: 'Continue',
  })
  expect(status).toMatchObject({ state: 'ERROR', progress: '5/6', failures: [{ host: 'worker-4' }] })
  expect(await unit.starts()).toEqual(once(names))
})

/** Waits until the run has paused for an answer; gives back the hosts that failed by then. */
async function paused(name: string, reason: string): Promise<string[]> {
  return eventually(`${name} has paused`, async () => {
    const { status } = await requests.get(name)
    if (status?.state !== 'PAUSED' || stalled({ status }) !== reason) return undefined
    return status.failures.map(({ host }) => host)
  })
}

async function answer(name: string, spec: Partial<SpecInput>): Promise<HostRequest> {
  await requests.patch(name, { spec })
  const { metadata } = await requests.get(name)
  return requests.finished(name, metadata.generation ?? 0)
}

test('Pause: a failing canary stops the waves until somebody says to go on, and then nobody gets it twice', async () => {
  await unit.reset(names)
  await requests.apply('pause', { ...unit.restart(), waves: [1, '50%', '100%'], onFailure: 'Pause' })
  const failed = await paused('pause', 'WaveFailed')
  expect(failed).toHaveLength(1)
  expect(await unit.starts()).toEqual(once(failed))
  await unit.break([])
  const { status } = await answer('pause', { onFailure: 'Continue' })
  expect(status).toMatchObject({ state: 'ERROR', progress: '5/6', counts: { succeeded: 5, failed: 1, skipped: 0 } })
  expect(await unit.starts()).toEqual(once(names))
})

test('Pause: so do too many failures, until more are allowed', async () => {
  await unit.reset(['control-plane'])
  await requests.apply('budget', { ...unit.restart(), parallelism: 1, maxFailures: 0, onFailure: 'Pause' })
  expect(await paused('budget', 'TooManyFailures')).toEqual(['control-plane'])
  expect(await unit.starts()).toEqual(once(['control-plane']))
  const { status } = await answer('budget', { maxFailures: 1 })
  expect(status).toMatchObject({ state: 'ERROR', progress: '5/6' })
  expect(await unit.starts()).toEqual(once(names))
})

test('maxFailures: as many go, one more stops the run', async () => {
  const failing = ['control-plane', 'worker-1']
  const spec = { ...unit.restart(), parallelism: 1 }
  await unit.reset(failing)
  const allowed = await requests.send('allowed', { ...spec, maxFailures: 2 })
  expect(allowed.status).toMatchObject({ state: 'ERROR', counts: { succeeded: 4, failed: 2, skipped: 0 } })
  expect(stalled(allowed)).toBe('HostsFailed')
  expect(await unit.starts()).toEqual(once(names))

  await unit.reset(failing)
  const stopped = await requests.send('stopped', { ...spec, maxFailures: 1 })
  expect(stopped.status).toMatchObject({ state: 'ERROR', counts: { succeeded: 0, failed: 2, unknown: 0, skipped: 4 } })
  expect(stalled(stopped)).toBe('TooManyFailures')
  // In the order of their names, one at a time.
  expect(await unit.starts()).toEqual(once(failing))
})

test('a partition during a wave: that host may have acted, so it is unknown and is not asked again, and no further wave begins', async () => {
  await unit.reset()
  await unit.hold()
  const spec = { ...unit.restart(), waves: ['50%', '100%'], retry: { limit: 5 }, timeoutSeconds: 4 }
  const { metadata } = await requests.apply('cut', spec)
  const started = await eventually('the first wave is under way', async () => {
    const hosts = Object.keys(await unit.starts())
    return hosts.length === 3 && hosts
  })
  const cut = world.host(started[1]!)
  await cut.partition()
  await unit.release()
  await eventually(
    'its time is over',
    async () => {
      const { status } = await requests.get('cut')
      return status?.state !== 'RUNNING' || status.run.round > 0
    },
    20_000,
  )
  await cut.heal()
  const { status } = await requests.finished('cut', metadata.generation ?? 0)
  expect(await unit.starts()).toEqual(once(started))
  expect(status).toMatchObject({
    ...{ state: 'ERROR', counts: { targets: 6, succeeded: 2, failed: 0, unknown: 1, skipped: 3 } },
    failures: [{ host: cut.name }],
  })
})

test('a retry finds the host that was healed; those that had it do not get it again', async () => {
  await unit.reset()
  const away = world.host('worker-2')
  await away.partition()
  // Before that, what is written into a connection that is open still might have arrived: such a host would be unknown, and is not asked again.
  await world.kubectl('wait', '--for=condition=Ready=False', `host/${away.name}`, '--timeout=20s')
  // Whether its Node is called Unknown by then is another matter.
  const spec = { ...unit.restart(), onOffline: 'Try', retry: { limit: 10 }, timeoutSeconds: 1 } as const
  const { metadata } = await requests.apply('healed', spec)
  await eventually('a round has failed', async () => ((await requests.get('healed')).status?.run.round ?? 0) > 0)
  expect(await unit.starts()).toEqual(once(names.filter((name) => name !== away.name)))
  await away.heal()
  const { status } = await requests.finished('healed', metadata.generation ?? 0)
  expect(status).toMatchObject({ state: 'SUCCESS', progress: '6/6', failures: [] })
  // What was written into a connection that is given up may still be sent, once the host is there again.
  const left = ['ss', '--no-header', '--tcp', '--numeric', 'state', 'fin-wait-1', 'dst', away.address]
  await eventually('nothing is on its way any more', async () => (await mustRun(left)).stdout === '', 30_000)
  expect(await unit.starts()).toEqual(once(names))
  await world.hostsReady()
})

test('a host whose kubelet is away is skipped, unless onOffline is Try: its agent is not the kubelet', async () => {
  await unit.reset()
  const silent = world.host('worker-5')
  await silent.run(['systemctl', 'stop', 'kubelet'])
  await world.kubectl('wait', '--for=condition=Online=False', 'host/worker-5', '--timeout=40s')
  const skipped = await requests.send('skip', unit.restart())
  expect(skipped.status).toMatchObject({
    ...{ state: 'SUCCESS', progress: '5/5', counts: { targets: 6, succeeded: 5, skipped: 1 } },
    msg: '5/5 hosts answered; skipped: worker-5 (offline)',
  })
  expect(await unit.starts()).toEqual(once(names.filter((name) => name !== 'worker-5')))

  await unit.reset()
  const tried = await requests.send('try', { ...unit.restart(), onOffline: 'Try' })
  expect(tried.status).toMatchObject({ state: 'SUCCESS', progress: '6/6' })
  expect(await unit.starts()).toEqual(once(names))
  await silent.run(['systemctl', 'start', 'kubelet'])
  await world.hostsReady()
})
