import { eventually } from '@keelson/testbed'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { loopbackAddress } from '../testing/addresses.ts'
import { RequestWorld } from '../testing/request-world.fixture.ts'
import { numbered } from '../testing/test-cluster.fixture.ts'
import type { Receiver } from '../testing/receiver.ts'

const hosts = ['host-1', 'host-2', 'host-3', 'host-4']
let world: RequestWorld

beforeAll(async () => {
  world = await RequestWorld.start(hosts)
})
afterAll(() => world?.[Symbol.asyncDispose]())
beforeEach(() => {
  for (const receiver of world.receivers.values()) receiver.answer = (response) => response.end()
})
afterEach(() => {
  const complaints = world.complaints()
  if (complaints.length > 0) throw new Error(`the operator complained: ${JSON.stringify(complaints)}`)
})

const first = (): Receiver => world.receivers.get('host-1')!
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)
const failing = () => {
  for (const receiver of world.receivers.values()) receiver.answer = (response) => response.writeHead(500).end()
}
const healed = () => {
  for (const receiver of world.receivers.values()) receiver.answer = (response) => response.end()
}

/** The operator takes requests in the order of their changes: what it were to send by mistake would have come by then. */
async function settle(): Promise<void> {
  expect(await world.send({})).toMatchObject({ state: 'SUCCESS' })
}

describe('suspend', () => {
  test('before the start: nothing begins, no time runs, and false lets it begin', async () => {
    const name = await world.create({ suspend: true, activeDeadlineSeconds: 1 })
    const suspended = await world.reaches(name, 'PAUSED')
    expect(suspended).toMatchObject({ msg: 'suspended, not begun', run: { epoch: 0, targets: { names: [] } } })
    await world.restartOperator()
    await settle()
    expect((await world.get(name)).status).toEqual(suspended)
    expect(world.received(name)).toEqual([0, 0, 0, 0])
    await world.patchSpec(name, { suspend: false })
    const status = await world.reaches(name, 'SUCCESS')
    expect(status.run.id).toBe(suspended.run.id)
    expect(world.received(name)).toEqual([1, 1, 1, 1])
  })

  test('under way: what is in flight ends, nothing else begins, and false goes on where it stood', async () => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
    first().answer = (response) => void answered.then(() => response.end())
    const name = await world.create({ parallelism: 1, timeoutSeconds: 60 })
    await eventually('host-1 has it', () => world.received(name)[0] === 1)
    await world.patchSpec(name, { suspend: true })
    await settleWithout(name)
    answer()
    const paused = await world.reaches(name, 'PAUSED')
    expect(paused).toMatchObject({
      ...{
        succeeded: '0',
        progress: '1/4',
        run: { claim: '' },
        msg: '1/4 hosts answered; suspended; 3 hosts not sent to yet',
      },
      counts: { targets: 4, succeeded: 1, failed: 0, unknown: 0, skipped: 0 },
    })
    await world.restartOperator()
    await settle()
    expect((await world.get(name)).status).toEqual(paused)
    expect(world.received(name)).toEqual([1, 0, 0, 0])

    await world.patchSpec(name, { suspend: false })
    const status = await world.reaches(name, 'SUCCESS')
    expect(status).toMatchObject({ progress: '4/4', run: { id: paused.run.id, startTime: paused.run.startTime } })
    expect(world.received(name)).toEqual([1, 1, 1, 1])
  })

  test('by an operator that ends meanwhile: the next one halts it', async () => {
    for (const receiver of world.receivers.values()) receiver.answer = () => undefined
    const name = await world.create({ waves: [1, '100%'], onFailure: 'Continue', timeoutSeconds: 60 })
    await eventually('a canary has it', () => sum(world.received(name)) === 1)
    await world.stopOperator()
    await world.patchSpec(name, { suspend: true })
    healed()
    await world.startOperator()
    const unknown = String(world.received(name).indexOf(1))
    expect(await world.reaches(name, 'PAUSED')).toMatchObject({ unknown, run: { claim: '' } })
    await world.patchSpec(name, { suspend: false })
    expect(await world.reaches(name, 'ERROR')).toMatchObject({ unknown, counts: { succeeded: 3, unknown: 1 } })
    expect(world.received(name)).toEqual([1, 1, 1, 1])
  })

  test('a run that is over stays as it is, and is about the new generation', async () => {
    const name = await world.create({})
    const { run } = await world.reaches(name, 'SUCCESS')
    await world.patchSpec(name, { suspend: true, onFailure: 'Continue', maxFailures: 1, activeDeadlineSeconds: 5 })
    const status = await world.reaches(name, 'SUCCESS')
    expect([status.run, status.observedGeneration]).toEqual([run, 2])
    await world.kubectl('wait', `hostrequest/${name}`, '--for=condition=Finished', '--timeout=5s')
    expect(world.received(name)).toEqual([1, 1, 1, 1])
  })

  test('the time of the run goes on: at its end the run ends', async () => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
    first().answer = (response) => void answered.then(() => response.end())
    const name = await world.create({ parallelism: 1, activeDeadlineSeconds: 3, timeoutSeconds: 60 })
    await eventually('host-1 has it', () => world.received(name)[0] === 1)
    await world.patchSpec(name, { suspend: true })
    await settleWithout(name)
    answer()
    const status = await world.reaches(name, 'ERROR')
    expect(status.msg).toBe('1/4 hosts answered; stopped, activeDeadlineSeconds are over: 3 hosts not sent to')
    expect(world.received(name)).toEqual([1, 0, 0, 0])
  })

  /** Settles without the first host, which hangs. */
  async function settleWithout(name: string): Promise<void> {
    expect(await world.send({ workers: ['host-2'] })).toMatchObject({ state: 'SUCCESS' })
    expect(sum(world.received(name))).toBe(1)
  }
})

describe('onFailure: Pause', () => {
  test('a wave that failed waits for an answer over a restart, and Continue goes on with the same run', async () => {
    failing()
    const name = await world.create({ waves: [1, '100%'], onFailure: 'Pause' })
    const paused = await world.reaches(name, 'PAUSED')
    expect(paused).toMatchObject({ counts: { failed: 1, skipped: 0 }, run: { wave: 0 } })
    expect(paused.conditions.filter(({ status }) => status === 'True')).toMatchObject([
      { type: 'Stalled', reason: 'WaveFailed' },
    ])
    await world.restartOperator()
    await settleAfterFailure()
    expect((await world.get(name)).status).toEqual(paused)
    await world.patchSpec(name, { onFailure: 'Continue' })
    const status = await world.reaches(name, 'ERROR')
    expect(status).toMatchObject({ counts: { succeeded: 3, failed: 1 }, run: { id: paused.run.id, wave: 1 } })
    expect(world.received(name)).toEqual([1, 1, 1, 1])
  })

  test('Stop is the other answer', async () => {
    failing()
    const name = await world.create({ waves: [1, '100%'], onFailure: 'Pause' })
    await world.reaches(name, 'PAUSED')
    await world.patchSpec(name, { onFailure: 'Stop' })
    expect((await world.reaches(name, 'ERROR')).msg).toContain(
      'stopped, a host of the wave failed: 3 hosts not sent to',
    )
    expect(sum(world.received(name))).toBe(1)
  })

  test('more failures than maxFailures: a higher one goes on, and asks again at its end', async () => {
    failing()
    const name = await world.create({ maxFailures: 0, onFailure: 'Pause', parallelism: 1 })
    expect((await world.reaches(name, 'PAUSED')).msg).toContain('raise maxFailures to go on')
    await world.patchSpec(name, { maxFailures: 1 })
    expect(await world.reaches(name, 'PAUSED')).toMatchObject({ counts: { failed: 2 } })
    healed()
    await world.patchSpec(name, { maxFailures: '100%' })
    expect(await world.reaches(name, 'ERROR')).toMatchObject({ counts: { succeeded: 2, failed: 2, skipped: 0 } })
    expect(world.received(name)).toEqual([1, 1, 1, 1])
  })

  test('a run whose targets somebody deleted while it was paused ends, and says why', async () => {
    const names = numbered(45, `${'very-long.'.repeat(19)}name`)
    await using _ = await world.cluster.fleet(names, loopbackAddress(1))
    failing()
    const name = await world.create({ workers: names, waves: [1, '100%'], onFailure: 'Pause' })
    const { run } = await world.reaches(name, 'PAUSED')
    const { configMap = '' } = run.targets
    await world.kubectl('delete', 'configmap', configMap)
    await world.patchSpec(name, { onFailure: 'Continue' })
    expect(await world.reaches(name, 'ERROR')).toMatchObject({
      msg: `the targets of the run are lost with the ConfigMap ${configMap}; change runToken to run anew; 0/45 hosts answered`,
      counts: { targets: 45, failed: 1 },
    })
  })

  async function settleAfterFailure(): Promise<void> {
    healed()
    await settle()
  }
})
