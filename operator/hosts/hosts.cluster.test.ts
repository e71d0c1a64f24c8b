import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { agentPort } from '@keelson/api'
import { keyOf } from '@keelson/kube'
import { eventually } from '@keelson/testbed'
import { beforeAll, describe, expect, test } from 'vitest'
import { hostKind } from '../kinds.ts'
import { loopbackAddress } from '../testing/addresses.ts'
import { addressOf, operatorWorld, type OperatorWorld } from '../testing/operator-world.fixture.ts'
import { condition, type TestCluster } from '../testing/test-cluster.fixture.ts'

const here = operatorWorld()
let world: OperatorWorld
let cluster: TestCluster
beforeAll(() => {
  ;({ world } = here)
  ;({ cluster } = world)
})

const shortLived = loopbackAddress(10)

describe('a Host', () => {
  test('is there for every Node, with role, labels, address and the facts of its agent', async () => {
    await eventually(
      'the agent was asked',
      async () => condition(await cluster.hostNamed('worker-1'), 'Ready') === 'True',
    )
    const { items } = await cluster.admin.list(hostKind)
    expect(
      items.map(({ metadata, status }) => `${metadata.name} ${status?.role} ${status?.addresses[0]?.address}`),
    ).toEqual([
      ...[`control ControlPlane ${addressOf('control')}`, `offline Worker ${addressOf('offline')}`],
      ...[`worker-1 Worker ${addressOf('worker-1')}`, `worker-2 Worker ${addressOf('worker-2')}`],
    ])
    const [, , worker1, worker2] = items
    expect(worker1?.metadata.labels).toEqual({ zone: 'a' })
    expect(worker1?.status?.facts).toMatchObject({ kernelVersion: '6.1.0', os: { name: 'Debian \ufffd' } })
    expect(condition(worker2!, 'Ready')).toBe('False')
  })

  test('follows the labels of its Node and keeps its own', async () => {
    await cluster.kubectl('label', 'host', 'worker-2', 'keelson.dev/own=yes', 'stray=yes')
    await cluster.kubectl('label', 'node', 'worker-2', 'zone=b', 'keelson.dev/forged=yes', '--overwrite')
    const wanted = { zone: 'b', 'keelson.dev/own': 'yes' }
    await eventually('the Host has them', async () => {
      expect((await cluster.hostNamed('worker-2')).metadata.labels).toEqual(wanted)
      return true
    })
    await cluster.kubectl('label', 'node', 'worker-2', 'zone=a', '--overwrite')
  })

  test('that somebody deletes is made again', async () => {
    const { metadata } = await cluster.hostNamed('offline')
    await cluster.admin.delete(hostKind, metadata)
    const again = await eventually('it is back', async () => {
      const host = await cluster.hostNamed('offline')
      return host.metadata.uid !== metadata.uid && host.status !== undefined && host
    })
    expect(condition(again, 'Online')).toBe('False')
  })

  test('goes with its Node', async () => {
    await cluster.register('short-lived', { address: shortLived })
    const present = async () => (await cluster.admin.list(hostKind)).items.map(keyOf).includes('short-lived')
    await eventually('it is there', present)
    await cluster.unregister('short-lived')
    await eventually('it is gone', async () => !(await present()))
    expect(await present()).toBe(false)
  })

  test('is offline at once when its Node is, however long its agent hangs', async () => {
    const sockets = new Set<Socket>()
    const hanging = createServer((socket) => sockets.add(socket.on('error', () => undefined)))
    await once(hanging.listen(agentPort, addressOf('worker-2')), 'listening')
    try {
      await eventually('the agent is asked', () => sockets.size > 0)
      await cluster.setReady('worker-2', false)
      // The time that the agent is given is longer.
      await eventually(
        'it is offline',
        async () => condition(await cluster.hostNamed('worker-2'), 'Online') === 'False',
        2_000,
      )
      expect([...sockets].some((socket) => !socket.destroyed)).toBe(true)
    } finally {
      for (const socket of sockets) socket.destroy()
      hanging.close()
      await cluster.setReady('worker-2', true)
      await cluster.online()
    }
  })
})

test('a fleet at rest makes no writes, however often its agents are asked, nor does an operator that starts', async () => {
  await world.settle()
  const before = await cluster.writes()
  const { accepted } = world.agent
  const enough = world.agent.received.length + 6
  await eventually('the agent was asked some times more', () => world.agent.received.length >= enough)
  // No connection is made for it.
  expect(world.agent.accepted).toBe(accepted)
  await world.stopOperator()
  await world.startOperator()
  await eventually('the agent was asked again', () => world.agent.received.length >= enough + 3)
  expect((await cluster.writes()).slice(before.length)).toEqual([])
})
