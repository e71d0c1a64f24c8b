import { eventually } from '@keelson/testbed'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Answer } from '../testing/receiver.ts'
import { RequestWorld } from '../testing/request-world.fixture.ts'

const hosts = ['host-1', 'host-2', 'host-3', 'host-4', 'host-5']
let world: RequestWorld

beforeAll(async () => {
  world = await RequestWorld.start(hosts)
})
afterAll(() => world?.[Symbol.asyncDispose]())
beforeEach(() => answering((response) => response.end('well')))
afterEach(() => {
  const complaints = world.complaints()
  if (complaints.length > 0) throw new Error(`the operator complained: ${JSON.stringify(complaints)}`)
})

function answering(answer: Answer, names: readonly string[] = hosts): void {
  for (const name of names) world.receivers.get(name)!.answer = answer
}

describe('answers', () => {
  test('equal ones are told once, of a GET by default and of others where it is asked for', async () => {
    answering((response) => response.end('other "words"'), ['host-4'])
    answering((response) => response.writeHead(503).end('busy'), ['host-2'])
    const wanted = [
      { code: 200, body: 'well', count: 3, sample: ['host-1', 'host-3', 'host-5'] },
      { code: 503, body: 'busy', count: 1, sample: ['host-2'] },
      { code: 200, body: 'other "words"', count: 1, sample: ['host-4'] },
    ]
    const http = { method: 'GET' } as const
    expect((await world.send({ http })).answers).toEqual(wanted)
    expect((await world.send({ answers: 'Sample' })).answers).toEqual(wanted)
    expect((await world.send({ http, answers: 'None' })).answers).toEqual([])
    expect((await world.send({})).answers).toEqual([])
  })

  test('what a terminal obeys, what is no text and what is long is made harmless', async () => {
    answering((response) => response.end('\u001b[31mred\r\n\0'), ['host-1'])
    answering((response) => response.end(Buffer.from([0x66, 0xff, 0x67])), ['host-2'])
    answering((response) => response.end('"'.repeat(60_000)), ['host-3'])
    const { answers } = await world.send({ http: { method: 'GET' }, workers: hosts.slice(0, 3) })
    expect(answers.map(({ body }) => body)).toEqual(['[31mred', 'f\ufffdg', `${'"'.repeat(126)}…`])
  })

  test('1 MB from every host is one failure group', async () => {
    answering((response) => response.end(Buffer.alloc(1_000_000, 'x')))
    const status = await world.send({ http: { method: 'GET' } })
    expect(status.failureGroups).toMatchObject([{ code: 200, count: 5, sample: ['host-1', 'host-2', 'host-3'] }])
    expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThan(4 * 1024)
  })
})

describe('failure groups', () => {
  test('are counted by cause, and survive a host that gets it again and succeeds', async () => {
    let again = false
    answering((response) => response.writeHead(500).end(), ['host-1', 'host-2', 'host-3'])
    answering((response) => response.writeHead(again ? 200 : 503).end(void (again = true)), ['host-4'])
    const status = await world.send({ retry: { limit: 1 } })
    expect(status.failureGroups).toEqual([
      ...[{ reason: 'HTTPStatus', code: 500, message: 'HTTP 500', count: 3, sample: ['host-1', 'host-2', 'host-3'] }],
    ])
    expect(status.msg).toBe('2/5 hosts answered; failed: host-1, host-2, host-3 (HTTP 500)')
  })

  test('and answers that were told survive the operator', async () => {
    answering((response) => response.writeHead(500).end('broken'), ['host-1', 'host-2'])
    const name = await world.create({ workers: hosts, suspend: true, parallelism: 1, answers: 'Sample' })
    await world.reaches(name, 'PAUSED')
    let held: (() => void) | undefined
    answering(
      (response) => {
        held = () => response.end('well')
      },
      ['host-3'],
    )
    await world.patchSpec(name, { suspend: false })
    await eventually('host-3 has it', () => held !== undefined)
    await world.patchSpec(name, { suspend: true })
    expect(await world.send({ workers: ['host-5'] })).toMatchObject({ state: 'SUCCESS' })
    held!()
    const before = await world.reaches(name, 'PAUSED')
    expect(before.counts).toMatchObject({ succeeded: 1, failed: 2 })
    await world.restartOperator()
    answering((response) => response.writeHead(500).end('broken'), ['host-4'])
    await world.patchSpec(name, { suspend: false })
    const after = await world.reaches(name, 'ERROR')
    expect(after.failureGroups).toEqual([
      ...[{ reason: 'HTTPStatus', code: 500, message: 'HTTP 500', count: 3, sample: ['host-1', 'host-2', 'host-4'] }],
    ])
    expect(after.answers).toEqual([
      { code: 500, body: 'broken', count: 3, sample: ['host-1', 'host-2', 'host-4'] },
      { code: 200, body: 'well', count: 2, sample: ['host-3', 'host-5'] },
    ])
    expect(after.failures.map(({ host, message }) => `${host}: ${message}`)).toEqual([
      ...['host-1', 'host-2', 'host-4'].map((host) => `${host}: HTTP 500`),
    ])
  })
})

test('history: the runs before this one, the last one first, also one that a changed spec ended', async () => {
  const name = await world.create({ workers: ['host-1', 'host-2'] })
  const first = await world.reaches(name, 'SUCCESS')
  expect(first.history).toEqual([])
  answering(() => undefined, ['host-1'])
  await world.patchSpec(name, { runToken: 'hangs', timeoutSeconds: 60, parallelism: 1 })
  await eventually('host-1 has it', () => world.received(name)[0] === 2)
  answering((response) => response.end())
  await world.patchSpec(name, { runToken: 'again' })
  const last = await world.reaches(name, 'SUCCESS')
  const { uid } = (await world.get(name)).metadata
  expect(last.history).toMatchObject([
    { id: `${uid}-2-hangs`, state: 'ERROR', counts: { targets: 2, succeeded: 0, failed: 0, unknown: 2, skipped: 0 } },
    { id: `${uid}-1`, state: 'SUCCESS', counts: first.counts, finishTime: first.run.finishTime },
  ])
  expect(last.run.id).toBe(`${uid}-3-again`)
})
