import { type HostRequestStatus } from '@keelson/api'
import { eventually } from '@keelson/testbed'
import { beforeAll, describe, expect, test } from 'vitest'
import { operatorWorld, type OperatorWorld } from '../testing/operator-world.fixture.ts'
import { type Answer } from '../testing/receiver.ts'
import type { TestCluster } from '../testing/test-cluster.fixture.ts'

const here = operatorWorld()
let world: OperatorWorld
let cluster: TestCluster
beforeAll(() => {
  ;({ world } = here)
  ;({ cluster } = world)
})

describe('a policy', () => {
  const three = ['control', 'worker-1', 'worker-2']
  const online = ['control', 'worker-1', 'worker-2'] as const
  const fails: Answer = (response) => response.writeHead(500).end()
  const reasonOf = (status: HostRequestStatus) => status.conditions.find(({ type }) => type === 'Stalled')?.reason

  test.each(['PUT', 'PATCH', 'DELETE'] as const)('%s arrives as such', async (method) => {
    const parameters = [{ key: 'a', value: 'b c' }]
    expect(await cluster.send({ http: { api: '/any', method, parameters } })).toMatchObject({ state: 'SUCCESS' })
    const [url, body] = method === 'DELETE' ? ['/any?a=b+c', ''] : ['/any', '{"a":"b c"}']
    expect(world.web['worker-1'].received).toMatchObject([{ method, url, body }])
  })

  test('retry: a host that failed gets it again in a later round, under another key', async () => {
    world.web['worker-2'].answer = (response) =>
      response.writeHead(world.web['worker-2'].received.length === 1 ? 500 : 200).end()
    const status = await cluster.send({ retry: { limit: 3 } })
    expect(status).toMatchObject({ state: 'SUCCESS', progress: '2/2', failures: [], run: { round: 1 } })
    const { uid } = (await cluster.hostNamed('worker-2')).metadata
    expect(world.web['worker-2'].received.map(({ idempotencyKey }) => idempotencyKey)).toEqual([
      ...[`${status.run.id}/0/${uid}`, `${status.run.id}/1/${uid}`],
    ])
    expect(world.received('/')).toEqual([1, 2])
  })

  test('retry: a host whose answer was lost does not get it again', async () => {
    world.web['worker-2'].answer = (response) => response.destroy()
    expect(await cluster.send({ retry: { limit: 3 } })).toMatchObject({
      state: 'ERROR',
      unknown: '1',
      run: { round: 0 },
    })
    expect(world.received('/')).toEqual([1, 1])
  })

  test('waves: a canary that fails stops the rest, and who was not sent to is told', async () => {
    for (const name of online) world.web[name].answer = fails
    const status = await cluster.send({ workers: three, waves: [1, '100%'] })
    expect(status).toMatchObject({
      ...{ state: 'ERROR', progress: '0/3', counts: { targets: 3, succeeded: 0, failed: 1, unknown: 0, skipped: 2 } },
      msg: expect.stringMatching(
        /^0[/]3 hosts answered; stopped, a host of the wave failed: 2 hosts not sent to; failed: [a-z0-9-]+ .HTTP 500.$/,
      ),
      run: { wave: 0 },
    })
    expect(reasonOf(status)).toBe('WaveFailed')
    expect(world.received('/', online).filter((count) => count > 0)).toEqual([1])
    expect(world.received('/', online)[three.indexOf(status.failures[0]!.host)]).toBe(1)
  })

  test('waves: a canary that succeeds lets the rest begin', async () => {
    const status = await cluster.send({ workers: three, waves: [1, '100%'] })
    expect(status).toMatchObject({ state: 'SUCCESS', progress: '3/3', run: { wave: 1 } })
    expect(world.received('/', online)).toEqual([1, 1, 1])
  })

  test('onFailure: Continue goes on all the same', async () => {
    for (const name of online) world.web[name].answer = fails
    const status = await cluster.send({ workers: three, waves: [1, '100%'], onFailure: 'Continue' })
    expect(status).toMatchObject({ state: 'ERROR', counts: { failed: 3, skipped: 0 } })
    expect(reasonOf(status)).toBe('HostsFailed')
    expect(world.received('/', online)).toEqual([1, 1, 1])
  })

  test.each([
    [2, 'HostsFailed', [1, 1, 1]],
    [1, 'TooManyFailures', [1, 1, 0]],
    ['34%', 'HostsFailed', [1, 1, 1]],
    ['33%', 'TooManyFailures', [1, 1, 0]],
    [0, 'TooManyFailures', [1, 0, 0]],
  ])('maxFailures %s of three, where the first two fail: %s', async (maxFailures, reason, sent) => {
    for (const name of ['control', 'worker-1'] as const) world.web[name].answer = fails
    const status = await cluster.send({ workers: three, maxFailures, parallelism: 1 })
    expect(status.state).toBe('ERROR')
    expect(reasonOf(status)).toBe(reason)
    expect(world.received('/', online)).toEqual(sent)
    const left = sent.filter((count) => count === 0).length
    expect(status.counts.skipped).toBe(left)
    expect(
      status.msg.includes(
        `stopped, more than maxFailures failed: ${left} ${left === 1 ? 'host' : 'hosts'} not sent to`,
      ),
    ).toBe(left > 0)
  })

  test('onOffline: Wait sends to a host once it is back', async () => {
    const name = cluster.newName()
    await cluster.apply(name, { workers: ['offline', 'worker-1'], onOffline: 'Wait' })
    const waiting = await eventually('the other one has answered', async () => {
      const { status } = await cluster.requestNamed(name)
      return status?.succeeded === '1' && status
    })
    expect(waiting).toMatchObject({ state: 'RUNNING', progress: '1/2', run: { claim: '' } })
    expect(world.received('/', ['offline'])).toEqual([0])
    await cluster.setReady('offline', true)
    try {
      expect(await cluster.finished(name)).toMatchObject({ state: 'SUCCESS', progress: '2/2' })
      expect(world.received('/', ['offline', 'worker-1'])).toEqual([1, 1])
    } finally {
      await cluster.setReady('offline', false)
      await cluster.online()
    }
  })

  test('onOffline: Try sends to it at once', async () => {
    expect(await cluster.send({ workers: ['offline', 'worker-1'], onOffline: 'Try' })).toMatchObject({
      ...{ state: 'SUCCESS', progress: '2/2' },
    })
    expect(world.received('/', ['offline', 'worker-1'])).toEqual([1, 1])
  })

  test('onOffline: Skip is asked when it is the turn of a host, not before', async () => {
    const name = cluster.newName()
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
    // Either may be the canary.
    for (const worker of ['worker-1', 'worker-2'] as const)
      world.web[worker].answer = (response, { url }) =>
        void (url === '/turn' ? answered : Promise.resolve()).then(() => response.end())
    await cluster.apply(name, {
      workers: ['worker-1', 'worker-2'],
      waves: ['50%', '100%'],
      http: { api: '/turn' },
      timeoutSeconds: 60,
    })
    const canary = await eventually('the canary has it', () => {
      const [one, two] = world.received('/turn')
      return one === 1 ? 'worker-1' : two === 1 ? 'worker-2' : undefined
    })
    const other = canary === 'worker-1' ? 'worker-2' : 'worker-1'
    await cluster.setReady(other, false)
    // What the API server has the operator sees a moment later.
    const isKnown = async () => (await cluster.send({ workers: [other], http: { api: '/known' } })).counts.skipped === 1
    await eventually('the operator knows that it is offline', isKnown)
    answer()
    try {
      expect(await cluster.finished(name)).toMatchObject({
        ...{ state: 'SUCCESS', msg: `1/1 hosts answered; skipped: ${other} (offline)` },
      })
    } finally {
      await cluster.setReady(other, true)
      await cluster.online()
    }
  })

  test('activeDeadlineSeconds ends a run that waits', async () => {
    const status = await cluster.send({ workers: ['offline', 'worker-1'], onOffline: 'Wait', activeDeadlineSeconds: 1 })
    expect(status).toMatchObject({
      ...{ state: 'ERROR', counts: { targets: 2, succeeded: 1, skipped: 1 } },
      msg: '1/2 hosts answered; stopped, activeDeadlineSeconds are over: 1 host not sent to',
    })
    expect(reasonOf(status)).toBe('DeadlineExceeded')
    expect(world.received('/', ['offline', 'worker-1'])).toEqual([0, 1])
  })

  test('runToken changed runs again', async () => {
    const name = cluster.newName()
    await cluster.apply(name, { http: { api: '/token' } })
    const { run: first } = await cluster.finished(name)
    await cluster.apply(name, { http: { api: '/token' }, runToken: 'again' })
    const { run: second } = await cluster.finished(name, 2)
    const { uid } = (await cluster.requestNamed(name)).metadata
    expect([first.id, second.id]).toEqual([`${uid}-1`, `${uid}-2-again`])
    expect(world.received('/token')).toEqual([2, 2])
  })
})
