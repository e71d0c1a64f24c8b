import { beforeAll, describe, expect, test } from 'vitest'
import { hostRequestKind } from '../kinds.ts'
import { machines, operatorWorld, type OperatorWorld } from '../testing/operator-world.fixture.ts'
import { namespace, type TestCluster } from '../testing/test-cluster.fixture.ts'

const here = operatorWorld()
let world: OperatorWorld
let cluster: TestCluster
beforeAll(() => {
  ;({ world } = here)
  ;({ cluster } = world)
})

describe('a HostRequest', () => {
  test('of every host: each that is online gets it once, the other is named', async () => {
    const status = await cluster.send({ workers: [], http: { api: '/all', method: 'GET' } })
    expect(status).toMatchObject({
      ...{ state: 'SUCCESS', progress: '3/3', msg: '3/3 hosts answered; skipped: offline (offline)', failures: [] },
      counts: { targets: 4, succeeded: 3, failed: 0, unknown: 0, skipped: 1 },
      run: { finishTime: expect.any(String) },
    })
    expect(world.received('/all', machines)).toEqual([1, 1, 1, 0])
  })

  test('bears its parameters', async () => {
    const parameters = [{ key: 'a', value: 'b c' }]
    await cluster.send({ http: { api: '/post', parameters } })
    await cluster.send({ http: { api: '/get', method: 'GET', parameters } })
    expect(world.web['worker-1'].received.map(({ method, url, body }) => `${method} ${url} ${body}`)).toEqual([
      ...['POST /post {"a":"b c"}', 'GET /get?a=b+c '],
    ])
  })

  test('that a host answers with 500 is an ERROR with name and code', async () => {
    world.web['worker-2'].answer = (response) => response.writeHead(500).end()
    expect(await cluster.send()).toMatchObject({
      ...{ state: 'ERROR', progress: '1/2', msg: '1/2 hosts answered; failed: worker-2 (HTTP 500)' },
      failures: [{ host: 'worker-2', reason: 'HTTPStatus', code: 500, message: 'HTTP 500' }],
    })
  })

  test('whose answer does not come in time is unknown, for the host may have acted', async () => {
    world.web['worker-2'].answer = () => undefined
    expect(await cluster.send({ timeoutSeconds: 1 })).toMatchObject({
      ...{ state: 'ERROR', counts: { succeeded: 1, failed: 0, unknown: 1 } },
      msg: '1/2 hosts answered; unknown: worker-2 (no answer within 1 s; the host may have got the request)',
      failures: [{ host: 'worker-2', reason: 'HeadersTimeout' }],
    })
    expect(world.received('/')).toEqual([1, 1])
  })

  test('of unknown names sends nothing and names them', async () => {
    expect(await cluster.send({ workers: ['worker-1', 'wroker-2', 'nobody'] })).toMatchObject({
      ...{ state: 'ERROR', msg: 'no such host: nobody, wroker-2; nothing was sent' },
      conditions: [{}, {}, { type: 'Stalled', status: 'True', reason: 'UnknownWorkers' }, {}],
    })
    await world.settle()
    expect(world.received('/')).toEqual([0, 0])
  })

  test('skips who is named and of another role, or offline', async () => {
    expect(
      await cluster.send({ workers: ['control', 'worker-1', 'offline'], http: { targetType: 'Worker' } }),
    ).toMatchObject({
      ...{ state: 'SUCCESS', progress: '1/1' },
      msg: '1/1 hosts answered; skipped: control (not targeted); skipped: offline (offline)',
    })
    expect(world.received('/', machines)).toEqual([1, 0, 0, 0])
    expect(await cluster.send({ workers: ['offline'] })).toMatchObject({
      ...{ state: 'ERROR', msg: 'no host to send to; skipped: offline (offline); nothing was sent' },
    })
  })

  test('is carried out once: labels, status and a new operator send nothing, a changed spec does', async () => {
    const name = cluster.newName()
    await cluster.apply(name, { http: { api: '/once' } })
    await cluster.finished(name)
    await cluster.admin.patch(hostRequestKind, { name, namespace }, { metadata: { labels: { touched: 'yes' } } })
    await cluster.admin.patch(
      hostRequestKind,
      { name, namespace },
      { status: { msg: 'edited' } },
      { subresource: 'status' },
    )
    await world.settle()
    await world.stopOperator()
    await world.startOperator()
    await world.settle()
    expect(world.received('/once')).toEqual([1, 1])
    expect((await cluster.requestNamed(name)).status?.msg).toBe('edited')

    await cluster.apply(name, { http: { api: '/once' }, timeoutSeconds: 11 })
    expect(await cluster.finished(name, 2)).toMatchObject({ state: 'SUCCESS', observedGeneration: 2 })
    expect(world.received('/once')).toEqual([2, 2])

    await cluster.admin.delete(hostRequestKind, { name, namespace })
    await cluster.apply(name, { http: { api: '/once' } })
    await cluster.finished(name)
    expect(world.received('/once')).toEqual([3, 3])
  })
})
