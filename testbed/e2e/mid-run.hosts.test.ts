import { expect, test } from 'vitest'
import { eventually } from '../deadline.ts'
import { CountedUnit } from '../world/counted-unit.ts'
import { enrolHost } from '../world/enrolment.ts'
import { HeldReceiver } from '../world/held-receiver.ts'
import type { Requests, SpecInput } from '../world/requests.ts'
import { sharedWorld } from '../world/shared-world.ts'
import type { World } from '../world/world.ts'

let world: World
let requests: Requests
let receiver: HeldReceiver
let names: readonly string[]
sharedWorld({ hosts: 6 }, async (shared) => {
  ;({ world, requests } = shared)
  names = world.lab.hosts.map(({ name }) => name)
  receiver = await HeldReceiver.install(world.lab.hosts)
})

const onEach = <T>(hosts: readonly string[], value: T) => Object.fromEntries(hosts.map((name) => [name, value]))
const once = ['received', 'answered']

/** Applies it while answers are held back, and comes back with the hosts that have it as soon as they are so many. */
async function underWay(name: string, path: string, count: number, more: Partial<SpecInput> = {}): Promise<string[]> {
  await receiver.hold()
  await requests.apply(name, { ...receiver.post(path), ...more })
  return eventually(`${count} hosts have ${path}`, async () => {
    const hosts = Object.keys(await receiver.said(path))
    return hosts.length === count && hosts
  })
}

/** Goes to the end of a later request to all hosts: what was going to be sent of an earlier one has been sent by then. */
async function settle(name: string): Promise<void> {
  const { status } = await requests.send(`after-${name}`, receiver.post(`/after-${name}`))
  expect(status).toMatchObject({ state: 'SUCCESS' })
}

test('a request that is deleted ends at once: no connection is left in any host, and none gets it any more', async () => {
  const begun = await underWay('deleted', '/deleted', 2, { parallelism: 2 })
  expect(await receiver.connected()).toEqual(begun)
  await requests.delete('deleted')
  await eventually('no host has a connection', async () => (await receiver.connected()).length === 0, 2_000)
  await receiver.release()
  await settle('deleted')
  expect(await receiver.said('/deleted')).toEqual(onEach(begun, ['received']))
})

test('a label edit is no new run and loses no outcome', async () => {
  await underWay('labelled', '/labelled', 6)
  const { status: before } = await requests.get('labelled')
  await requests.patch('labelled', { metadata: { labels: { team: 'storage' }, annotations: { note: 'looked at' } } })
  await receiver.release()
  const { status, metadata } = await requests.finished('labelled', 1)
  expect(status).toMatchObject({ state: 'SUCCESS', progress: '6/6', counts: { unknown: 0 } })
  expect(status?.run).toMatchObject({ id: before?.run.id, epoch: before?.run.epoch })
  expect(metadata.labels).toEqual({ team: 'storage' })
  await settle('labelled')
  expect(await receiver.said('/labelled')).toEqual(onEach(names, once))
})

test('suspended: what is under way ends, nothing more is sent until it goes on, and nobody gets it twice', async () => {
  const begun = await underWay('suspended', '/suspended', 2, { parallelism: 2 })
  await requests.patch('suspended', { spec: { suspend: true } })
  await receiver.release()
  await eventually('it has paused', async () => (await requests.get('suspended')).status?.state === 'PAUSED')
  await settle('suspended')
  expect(await receiver.said('/suspended')).toEqual(onEach(begun, once))
  await requests.patch('suspended', { spec: { suspend: false } })
  const { status } = await requests.finished('suspended', 3)
  expect(status).toMatchObject({ state: 'SUCCESS', progress: '6/6' })
  expect(await receiver.said('/suspended')).toEqual(onEach(names, once))
})

test('an edited spec ends the run of the old one, and begins its own', async () => {
  const begun = await underWay('edited', '/old', 2, { parallelism: 2 })
  const { metadata } = await requests.apply('edited', { ...receiver.post('/new'), parallelism: 2 })
  await eventually('the new one is under way', async () => Object.keys(await receiver.said('/new')).length === 2)
  await receiver.release()
  const { status } = await requests.finished('edited', metadata.generation ?? 0)
  expect(status).toMatchObject({ state: 'SUCCESS', progress: '6/6', observedGeneration: 2 })
  await settle('edited')
  expect(await receiver.said('/old')).toEqual(onEach(begun, ['received']))
  expect(await receiver.said('/new')).toEqual(onEach(names, once))
})

test('the API server is restarted: what the hosts answer meanwhile is not lost, and nothing is sent twice', async () => {
  await underWay('restarted', '/restarted', 6)
  await world.cluster.killApiServer()
  await receiver.release()
  await eventually('all have answered', async () => {
    const said = await receiver.said('/restarted')
    return names.every((name) => said[name]?.includes('answered'))
  })
  await world.cluster.startApiServer()
  const { status } = await requests.finished('restarted', 1, 60_000)
  expect(status).toMatchObject({ state: 'SUCCESS', progress: '6/6', counts: { unknown: 0 } })
  await settle('restarted')
  expect(await receiver.said('/restarted')).toEqual(onEach(names, once))
})

test('a second delivery of the same round changes nothing on a host', async () => {
  const unit = await CountedUnit.install(world.lab.hosts)
  await unit.hold()
  await requests.apply('twice', { ...unit.restart(), onUnknown: 'Resend', timeoutSeconds: 60 })
  await eventually('all have begun', async () => Object.keys(await unit.starts()).length === 6)
  const { status: before } = await requests.get('twice')
  await world.stopOperator('SIGKILL')
  await unit.release()
  for (const { name } of world.lab.hosts)
    await eventually(
      `${name} is done`,
      async () => (await world.host(name).read(['systemctl', 'is-active', 'counted'])) === 'inactive',
    )
  await world.startOperator()
  const { status } = await requests.finished('twice', 1)
  expect(status).toMatchObject({ state: 'SUCCESS', progress: '6/6', run: { id: before?.run.id, round: 0 } })
  expect(status?.run.epoch).toBeGreaterThan(before!.run.epoch)
  expect(await unit.starts()).toEqual(onEach(names, 1))
})

test('a Node is deleted: its host is named and gets nothing, the others are served', async () => {
  const [canary] = await underWay('deleted-node', '/deleted-node', 1, { waves: [1, '100%'] })
  const gone = names.findLast((name) => name !== canary)!
  await world.kubectl('delete', 'node', gone)
  await eventually(
    'its Host is gone',
    async () => !(await world.kubectl('get', 'hosts', '--output=name')).includes(gone),
  )
  await receiver.release()
  const { status } = await requests.finished('deleted-node', 1)
  expect(status).toMatchObject({ state: 'SUCCESS', progress: '5/5', counts: { targets: 6, succeeded: 5, skipped: 1 } })
  expect(status?.msg).toContain(gone)
  expect(await receiver.said('/deleted-node')).toEqual(
    onEach(
      names.filter((name) => name !== gone),
      once,
    ),
  )

  await world.host(gone).run(['systemctl', 'restart', 'kubelet'])
  await eventually('its Host is back', async () =>
    (await world.kubectl('get', 'hosts', '--output=name')).includes(gone),
  )
  // The certificate of the Node that was deleted is worth nothing to this one.
  await enrolHost(world.cluster, world.host(gone), '--replace')
  await world.hostsReady()
})

test('a Node is deleted whose host is claimed and not sent to: it is named and gets nothing', async () => {
  const [first] = await underWay('deleted-claimed', '/deleted-claimed', 1, { parallelism: 1 })
  expect(first).toBe(names[0])
  const gone = names.at(-1)!
  await world.kubectl('delete', 'node', gone)
  await eventually(
    'its Host is gone',
    async () => !(await world.kubectl('get', 'hosts', '--output=name')).includes(gone),
  )
  await receiver.release()
  const { status } = await requests.finished('deleted-claimed', 1)
  expect(status).toMatchObject({
    ...{ state: 'ERROR', counts: { targets: 6, succeeded: 5, failed: 1, unknown: 0 } },
    failures: [{ host: gone }],
  })
  expect(await receiver.said('/deleted-claimed')).toEqual(onEach(names.slice(0, -1), once))
})
