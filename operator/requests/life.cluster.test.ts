import { NotFoundError } from '@keelson/kube'
import { eventually } from '@keelson/testbed'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { RequestWorld } from '../testing/request-world.fixture.ts'

const hosts = ['host-1', 'host-2']
let world: RequestWorld

beforeAll(async () => {
  world = await RequestWorld.start(hosts)
})
afterAll(() => world?.[Symbol.asyncDispose]())
afterEach(() => {
  const complaints = world.complaints()
  if (complaints.length > 0) throw new Error(`the operator complained: ${JSON.stringify(complaints)}`)
})

async function isGone(name: string): Promise<boolean> {
  try {
    await world.get(name)
    return false
  } catch (error) {
    if (error instanceof NotFoundError) return true
    throw error
  }
}

describe('ttlSecondsAfterFinished', () => {
  test('0: deleted at once when the run has ended, not before', async () => {
    let answer: (() => void) | undefined
    world.receivers.get('host-1')!.answer = (response) => {
      answer = () => response.end()
    }
    const name = await world.create({ ttlSecondsAfterFinished: 0, timeoutSeconds: 60 })
    await eventually('host-1 has it', () => answer !== undefined)
    world.receivers.get('host-1')!.answer = (response) => response.end()
    expect(await world.send({ workers: ['host-2'] })).toMatchObject({ state: 'SUCCESS' })
    expect(await isGone(name)).toBe(false)
    answer!()
    await eventually('it is gone', () => isGone(name))
    expect(world.received(name)).toEqual([1, 1])
  })

  test('some time: kept until then, also by an operator that was not there, which deletes it after', async () => {
    const name = await world.create({ ttlSecondsAfterFinished: 3_600 })
    const kept = await world.create({})
    const { run } = await world.reaches(name, 'SUCCESS')
    await world.reaches(kept, 'SUCCESS')
    await world.restartOperator()
    expect(await world.send({})).toMatchObject({ state: 'SUCCESS' })
    expect((await world.get(name)).status?.run).toEqual(run)
    // Its time was an hour long; changed, it is over.
    await world.stopOperator()
    await world.patchSpec(name, { ttlSecondsAfterFinished: 0 })
    await world.startOperator()
    await eventually('it is gone', () => isGone(name))
    expect(world.received(name)).toEqual([1, 1])
    expect(await isGone(kept)).toBe(false)
  })

  test('the time is what ends it, nothing else', async () => {
    const name = await world.create({ ttlSecondsAfterFinished: 1 })
    const { run } = await world.reaches(name, 'SUCCESS')
    await eventually('it is gone', () => isGone(name))
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(run.finishTime!) + 2_000)
  })

  test('whatever changes before it is deleted is looked at first', async () => {
    const name = await world.create({ ttlSecondsAfterFinished: 3_600 })
    await world.reaches(name, 'SUCCESS')
    let kept = 0
    world.beforeDelete(async () => {
      kept += 1
      await world.patchSpec(name, { ttlSecondsAfterFinished: 3_600 })
    })
    await world.patchSpec(name, { ttlSecondsAfterFinished: 0 })
    await eventually('it was kept', () => kept === 1)
    expect(await world.reaches(name, 'SUCCESS')).toMatchObject({ observedGeneration: 3 })
    expect(kept).toBe(1)
    world.beforeDelete(async () => undefined)
  })

  test('a request that has not ended stays, however short its time is', async () => {
    const name = await world.create({ ttlSecondsAfterFinished: 0, suspend: true })
    await world.reaches(name, 'PAUSED')
    expect(await world.send({})).toMatchObject({ state: 'SUCCESS' })
    expect(await isGone(name)).toBe(false)
  })
})

describe('dryRun', () => {
  test('tells whom and what, and sends nothing', async () => {
    const name = await world.create({ dryRun: true, http: { parameters: [{ key: 'a', value: 'b c' }] } })
    const status = await world.reaches(name, 'SUCCESS')
    const { port } = world.receivers.get('host-1')!
    expect(status).toMatchObject({
      ...{ msg: 'dry run: 2 hosts would get the request: host-1, host-2; nothing was sent', progress: '0/2' },
      run: { targets: { names: hosts }, finishTime: expect.any(String) },
      dryRun: { request: { method: 'POST', url: `http://{host}:${port}/${name}`, body: '{"a":"b c"}' } },
    })
    await world.kubectl('wait', `hostrequest/${name}`, '--for=condition=Finished', '--timeout=5s')
    await world.restartOperator()
    expect(await world.send({})).toMatchObject({ state: 'SUCCESS' })
    expect(world.received(name)).toEqual([0, 0])

    // What it told is what is sent once it is none.
    await world.patchSpec(name, { dryRun: false })
    const sent = await world.reaches(name, 'SUCCESS')
    expect([sent.dryRun, sent.progress]).toEqual([undefined, '2/2'])
    const [received] = world.receivers.get('host-1')!.received.filter(({ url }) => url === `/${name}`)
    const uid = await world.kubectl('get', 'host', 'host-1', '--output=jsonpath={.metadata.uid}')
    const { method, url, body, headers } = status.dryRun!.request
    expect([method, url, body]).toEqual([received?.method, `http://{host}:${port}${received?.url}`, received?.body])
    const wired = { 'content-type': received?.contentType, 'idempotency-key': received?.idempotencyKey }
    expect(headers.map((line) => line.replace('{uid}', uid).replace(status.run.id, sent.run.id)).toSorted()).toEqual(
      Object.entries(wired).map(([key, value]) => `${key}: ${value}`),
    )
  })

  test('of an unknown name is the ERROR that the run would be', async () => {
    expect(await world.send({ dryRun: true, workers: ['nobody'] })).toMatchObject({
      ...{ state: 'ERROR', msg: 'no such host: nobody; nothing was sent' },
    })
  })
})
