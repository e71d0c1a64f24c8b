import { ConnectionError } from '@keelson/kube'
import { eventually } from '@keelson/testbed'
import { beforeAll, describe, expect, test } from 'vitest'
import { hostRequestKind } from '../kinds.ts'
import { fleetAddress, operatorWorld, type OperatorWorld } from '../testing/operator-world.fixture.ts'
import { Receiver } from '../testing/receiver.ts'
import { namespace, numbered, type TestCluster } from '../testing/test-cluster.fixture.ts'

const here = operatorWorld()
let world: OperatorWorld
let cluster: TestCluster
beforeAll(() => {
  ;({ world } = here)
  ;({ cluster } = world)
})

describe('under way', () => {
  test('a changed spec ends the old run at once and begins the new one', async () => {
    const name = await world.hangingRun({ http: { api: '/old' } })
    expect((await cluster.requestNamed(name)).status).toMatchObject({ state: 'RUNNING', progress: '0/2' })
    world.web['worker-1'].answer = (response) => response.end()
    await cluster.apply(name, { http: { api: '/new' } })
    await world.abandoned()
    expect(await cluster.finished(name, 2)).toMatchObject({ state: 'SUCCESS', progress: '2/2' })
    await world.settle()
    expect([world.received('/old'), world.received('/new')]).toEqual([
      [1, 0],
      [1, 1],
    ])
  })

  test('a deletion closes the connections, and nobody else gets it', async () => {
    const name = await world.hangingRun({ http: { api: '/deleted' } })
    await cluster.admin.delete(hostRequestKind, { name, namespace })
    await world.abandoned()
    world.web['worker-1'].answer = (response) => response.end()
    await world.settle()
    expect(world.received('/deleted')).toEqual([1, 0])
  })

  test('so does one that a finalizer delays', async () => {
    const name = await world.hangingRun({ http: { api: '/finalized' } })
    const patch = (finalizers: string[]) =>
      cluster.admin.patch(hostRequestKind, { name, namespace }, { metadata: { finalizers } })
    await patch(['example.com/kept'])
    await cluster.admin.delete(hostRequestKind, { name, namespace })
    await world.abandoned()
    world.web['worker-1'].answer = (response) => response.end()
    await world.settle()
    expect(world.received('/finalized')).toEqual([1, 0])
    await patch([])
  })

  test('one that is deleted and made again between two looks at it is another one', async () => {
    const name = cluster.newName()
    // Of a safe method: its progress is written while it is under way.
    const sketch = { http: { api: '/remade', method: 'GET' }, parallelism: 1 } as const
    world.web['worker-2'].answer = () => undefined
    let remade = false
    world.client.onStatusWrite = async ({ metadata, status }, write) => {
      if (metadata.name === name && status?.progress === '1/2' && !remade) {
        remade = true
        await cluster.admin.delete(hostRequestKind, metadata)
        await cluster.apply(name, sketch)
        world.web['worker-2'].answer = (response) => response.end()
      }
      return write()
    }
    await cluster.apply(name, { ...sketch, timeoutSeconds: 60 })
    await eventually('worker-2 has lost the connection', () => world.web['worker-2'].abandoned === 1)
    expect(await cluster.finished(name)).toMatchObject({ state: 'SUCCESS', progress: '2/2' })
    await world.settle()
    expect(world.received('/remade')).toEqual([2, 2])
  })

  test('a 409 on a claim and on a commit: somebody who edits labels all the time costs no outcome and no second delivery', async () => {
    const name = cluster.newName()
    const nodes = numbered(12, 'edited')
    await using many = await Receiver.start({ address: fleetAddress, port: world.web['worker-1'].port })
    many.answer = (response) => response.writeHead(many.received.length === 10 ? 503 : 200).end()
    await using _ = await cluster.fleet(nodes, fleetAddress)
    const claims: string[] = []
    world.client.onStatusWrite = async ({ metadata, status }, write) => {
      const told = `${status?.state} ${status?.run.claim}`
      const tries = claims.filter((claim) => claim === told).length
      // The first two of: the beginning, the first claim, its commit with the second claim, the end.
      if (metadata.name !== name || tries === 2) return write()
      const labels = { edited: `${claims.length}` }
      await cluster.admin.patch(hostRequestKind, { name, namespace }, { metadata: { labels } })
      claims.push(told)
      return write()
    }
    await cluster.apply(name, { workers: nodes, parallelism: 1 })
    expect(await cluster.finished(name)).toMatchObject({
      ...{ counts: { succeeded: 11, failed: 1, unknown: 0 }, failed: '9' },
      failures: [{ host: 'edited-009', code: 503 }],
    })
    expect(claims).toEqual(['RUNNING ', 'RUNNING 0-7', 'RUNNING 8-11', 'ERROR '].flatMap((claim) => [claim, claim]))
    expect((await cluster.writes()).filter((write) => write.endsWith(`${name} 409`)).length).toBe(8)
    expect(new Set(many.received.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(12)
    expect(many.received.length).toBe(12)
  })

  test('a first write whose answer is lost is no interruption: nothing was sent', async () => {
    const name = cluster.newName()
    const lost: string[] = []
    world.client.onStatusWrite = async ({ metadata, status }, write) => {
      await write()
      const state = status?.state ?? ''
      if (metadata.name !== name || lost.includes(state)) return
      lost.push(state)
      throw new ConnectionError({ code: 'ConnectionFailed', message: 'the answer is lost', retryable: true })
    }
    await cluster.apply(name)
    expect(await cluster.finished(name)).toMatchObject({ state: 'SUCCESS', progress: '2/2' })
    await eventually('both answers were lost', () => lost.join() === 'RUNNING,SUCCESS')
    await world.settle()
    expect(world.received('/')).toEqual([1, 1])
    expect(world.takeComplaints()).toMatchObject([
      ...['the answer is lost', 'the answer is lost'].map((message) => ({ err: { message } })),
    ])
  })

  test('of a safe method is told once a second at most', async () => {
    const name = cluster.newName()
    const nodes = numbered(12, 'slow')
    await using slow = await Receiver.start({
      ...{ address: fleetAddress, port: world.web['worker-1'].port },
      answer: (response) => setTimeout(() => response.end(), 200),
    })
    await using _ = await cluster.fleet(nodes, fleetAddress)
    const begun = performance.now()
    await cluster.apply(name, { workers: nodes, parallelism: 1, http: { method: 'GET' } })
    const seen = new Set<string>()
    await eventually('it has ended', async () => {
      const { status } = await cluster.requestNamed(name)
      seen.add(`${status?.state} ${status?.progress}`)
      return status?.state === 'SUCCESS'
    })
    const seconds = (performance.now() - begun) / 1_000
    const written = await cluster.statusWrites(name)
    expect(written).toBeLessThanOrEqual(Math.floor(seconds) + 2)
    expect(written).toBeGreaterThanOrEqual(3)
    expect(seen.size).toBeGreaterThanOrEqual(3)
    expect(slow.received.length).toBe(12)
  })

  test('of an unsafe method is told once a window, and twice more', async () => {
    const name = cluster.newName()
    const nodes = numbered(40, 'window')
    await using many = await Receiver.start({ address: fleetAddress, port: world.web['worker-1'].port })
    await using _ = await cluster.fleet(nodes, fleetAddress)
    await cluster.apply(name, { workers: nodes, parallelism: 1 })
    expect(await cluster.finished(name)).toMatchObject({ state: 'SUCCESS', progress: '40/40' })
    const written = await cluster.statusWrites(name)
    expect(written).toBeLessThanOrEqual(Math.ceil(40 / 8) + 2)
    // What is claimed must be written: with fewer, something was sent that was not.
    expect(written).toBeGreaterThanOrEqual(Math.ceil(40 / 8) + 1)
    expect(many.received.length).toBe(40)
  })

  test('what is sent is claimed on the API server, and nothing is sent before', async () => {
    const name = cluster.newName()
    const nodes = numbered(20, 'claim')
    await using many = await Receiver.start({ address: fleetAddress, port: world.web['worker-1'].port })
    await using _ = await cluster.fleet(nodes, fleetAddress)
    const claims: string[] = []
    const looked: Promise<void>[] = []
    many.answer = (response) => {
      looked.push(
        cluster.requestNamed(name).then(({ status }) => {
          claims.push(status?.run.claim ?? '')
          response.end()
        }),
      )
    }
    const before: number[] = []
    world.client.onStatusWrite = async ({ metadata }, write) => {
      if (metadata.name === name) before.push(many.received.length)
      return write()
    }
    await cluster.apply(name, { workers: nodes, parallelism: 1 })
    expect(await cluster.finished(name)).toMatchObject({ state: 'SUCCESS' })
    await Promise.all(looked)
    expect(claims).toEqual(nodes.map((_name, index) => ['0-7', '8-15', '16-19'][Math.floor(index / 8)]))
    // The beginning, three claims, the end.
    expect(before).toEqual([0, 0, 8, 16, 20])
  })
})
