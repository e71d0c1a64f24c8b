import { eventually } from '@keelson/testbed'
import { beforeAll, describe, expect, test } from 'vitest'
import { loopbackAddress } from './testing/addresses.ts'
import { fleetAddress, operatorWorld, type OperatorWorld } from './testing/operator-world.fixture.ts'
import { Receiver } from './testing/receiver.ts'
import { numbered, type TestCluster } from './testing/test-cluster.fixture.ts'

const here = operatorWorld()
let world: OperatorWorld
let cluster: TestCluster
beforeAll(() => {
  ;({ world } = here)
  ;({ cluster } = world)
})

const lateAddress = loopbackAddress(11)

describe('an operator that ends', () => {
  test('in a POST: what it was sending is unknown; who was only claimed is free, and gets it from the next one', async () => {
    const name = await world.hangingRun({ http: { api: '/interrupted' } })
    await world.stopOperator()
    await world.abandoned()
    const { status } = await cluster.requestNamed(name)
    expect(status).toMatchObject({ state: 'RUNNING', run: { claim: '0' } })
    world.web['worker-1'].answer = (response) => response.end()
    await world.startOperator()
    expect(await cluster.finished(name)).toMatchObject({
      ...{ state: 'ERROR', counts: { targets: 2, succeeded: 1, failed: 0, unknown: 1, skipped: 0 }, unknown: '0' },
      msg: '1/2 hosts answered; unknown: worker-1 (the operator ended before the answer came)',
      failures: [{ host: 'worker-1', reason: 'Interrupted' }],
      conditions: [{}, {}, { type: 'Stalled', status: 'True', reason: 'HostsFailed' }, {}],
      run: { claim: '', epoch: status!.run.epoch + 1 },
    })
    await world.settle()
    expect(world.received('/interrupted')).toEqual([1, 1])
  })

  test('while a POST is about to be answered: it waits for the answer, and nothing is unknown', async () => {
    const name = cluster.newName()
    const ended = Promise.withResolvers<void>()
    const patient = cluster.newName()
    world.web['worker-1'].answer = (response) => void ended.promise.then(() => response.end())
    await cluster.apply(patient, { parallelism: 1, http: { api: '/patient' } })
    await eventually('worker-1 has it', () => world.web['worker-1'].received.length === 1)
    const stopped = world.stopOperator()
    // Nothing new is begun meanwhile.
    await cluster.apply(name, { http: { api: '/later' } })
    ended.resolve()
    await stopped
    expect((await cluster.requestNamed(patient)).status).toMatchObject({
      state: 'RUNNING',
      succeeded: '0',
      run: { claim: '' },
    })
    expect([world.received('/patient'), world.received('/later')]).toEqual([
      [1, 0],
      [0, 0],
    ])
    await world.startOperator()
    expect(await cluster.finished(patient)).toMatchObject({ state: 'SUCCESS', progress: '2/2' })
    expect(await cluster.finished(name)).toMatchObject({ state: 'SUCCESS', progress: '2/2' })
    expect([world.received('/patient'), world.received('/later')]).toEqual([
      [1, 1],
      [1, 1],
    ])
  })

  test('in a POST that may be sent again: the next one does, with the same key', async () => {
    const name = await world.hangingRun({ http: { api: '/resent' }, onUnknown: 'Resend' })
    await world.stopOperator()
    await world.abandoned()
    world.web['worker-1'].answer = (response) => response.end()
    await world.startOperator()
    expect(await cluster.finished(name)).toMatchObject({ state: 'SUCCESS', progress: '2/2' })
    await world.settle()
    expect(world.received('/resent')).toEqual([2, 1])
    const keys = world.web['worker-1'].received.filter(({ url }) => url === '/resent').map((one) => one.idempotencyKey)
    expect(keys[0]).toMatch(/[/]0[/]/)
    expect(keys[1]).toBe(keys[0])
  })

  test('in a POST to very many: the next one sends to the rest of those that were frozen', async () => {
    const name = cluster.newName()
    const nodes = numbered(300, `${'very-'.repeat(10)}long.name`)
    await using many = await Receiver.start({ address: fleetAddress, port: world.web['worker-1'].port })
    many.answer = () => undefined
    await using _ = await cluster.fleet(nodes, fleetAddress)
    // A name cannot be made of this one.
    await cluster.apply(name, { workers: nodes, parallelism: 1, timeoutSeconds: 60, runToken: 'Of-the_day.' })
    await eventually('the first one has it', () => many.received.length === 1)
    await world.stopOperator()
    const { metadata, status } = await cluster.requestNamed(name)
    expect(status?.run).toMatchObject({ claim: '0', targets: { digest: expect.any(String) } })
    expect(status?.run.targets.names).toBeUndefined()
    const configMap = status?.run.targets.configMap ?? ''
    expect(JSON.parse(await cluster.kubectl('get', 'configmap', configMap, '--output=json'))).toMatchObject({
      immutable: true,
      metadata: { ownerReferences: [{ kind: 'HostRequest', name, uid: metadata.uid, controller: true }] },
    })
    expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThan(8 * 1024)

    await cluster.unregister(nodes[299]!)
    many.answer = (response) => response.end()
    await world.startOperator()
    expect(await cluster.finished(name)).toMatchObject({
      ...{ state: 'ERROR', progress: '298/299', succeeded: '1-298', unknown: '0', skipped: '299' },
      ...{ failures: [{ host: nodes[0], reason: 'Interrupted' }], run: { targets: { configMap } } },
      msg: expect.stringContaining(`skipped: ${nodes[299]} (offline)`),
    })
    expect(new Set(many.received.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1 + 298)
    expect(many.received.length).toBe(1 + 298)
  })

  test('in a GET: the next one begins again', async () => {
    const name = await world.hangingRun({ http: { api: '/again', method: 'GET' } })
    await world.stopOperator()
    await world.abandoned()
    world.web['worker-1'].answer = (response) => response.end()
    await world.startOperator()
    expect(await cluster.finished(name)).toMatchObject({ state: 'SUCCESS', progress: '2/2' })
    expect(world.received('/again')).toEqual([2, 1])
  })

  test('finds its inventory out of date when it is back, and brings it up to date before it sends', async () => {
    await world.stopOperator()
    await cluster.register('late', { address: lateAddress })
    await cluster.setReady('worker-2', false)
    await using late = await Receiver.start({ address: lateAddress, port: world.web['worker-1'].port })
    const name = cluster.newName()
    await cluster.apply(name, { workers: ['worker-1', 'worker-2', 'late'] })

    const before = (await cluster.asked()).length
    const { promise: hostGate, resolve } = Promise.withResolvers<void>()
    await world.startOperator(hostGate)
    await eventually('it knows all requests', async () =>
      (await cluster.asked()).slice(before).some((line) => line.startsWith('watch hostrequests')),
    )
    // By now it would have looked at the request.
    for (let trips = 0; trips < 5; trips++) await cluster.requestNamed(name)
    expect(await cluster.asked()).not.toContain(`get hostrequests  ${name} 200`)
    resolve()

    expect(await cluster.finished(name)).toMatchObject({
      ...{ state: 'SUCCESS', msg: '2/2 hosts answered; skipped: worker-2 (offline)' },
    })
    expect([...world.received('/'), late.received.length]).toEqual([1, 0, 1])
    await cluster.setReady('worker-2', true)
    await cluster.unregister('late')
    await cluster.online()
  })
})

test('an API server that is away costs a run neither its outcome nor a second delivery', async () => {
  const name = await world.hangingRun({ http: { api: '/away' } })
  await cluster.controlPlane.killApiServer()
  const { promise: answered, resolve } = Promise.withResolvers<void>()
  world.web['worker-2'].answer = (response) => {
    response.end()
    resolve()
  }
  for (const socket of world.web['worker-1'].open) socket.destroy()
  await answered
  await cluster.controlPlane.startApiServer()
  expect(await cluster.finished(name)).toMatchObject({ state: 'ERROR', counts: { succeeded: 1, unknown: 1 } })
  expect(world.received('/away')).toEqual([1, 1])
  // Here it had something to complain of.
  world.takeComplaints()
})
