import type { HostRequestStatus } from '@keelson/api'
import { kinds } from '@keelson/kube'
import { eventually } from '@keelson/testbed'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Answer, Receiver } from '../testing/receiver.ts'
import { RequestWorld } from '../testing/request-world.fixture.ts'
import { namespace } from '../testing/test-cluster.fixture.ts'

const hosts = ['host-1', 'host-2', 'host-3']
/** Legal with check: Typed, and written otherwise in JSON. */
const value = 'v4lue "of\\ the\\" secret'
const inJson = JSON.stringify(value).slice(1, -1)

let world: RequestWorld
const agents: Receiver[] = []

beforeAll(async () => {
  world = await RequestWorld.start(hosts)
  for (const name of hosts) agents.push(await world.startAgent(name))
})
afterAll(() => world?.[Symbol.asyncDispose]())
beforeEach(async () => {
  for (const agent of agents) agent.received.length = 0
  answering((response) => response.end('{}'))
  await writeSecret('credentials', { password: value, other: 'plain' })
})
afterEach(() => {
  const complaints = world.complaints()
  if (complaints.length > 0) throw new Error(`the operator complained: ${JSON.stringify(complaints)}`)
})

function answering(answer: Answer): void {
  for (const agent of agents) agent.answer = answer
}

async function writeSecret(name: string, texts: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  const data = Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  )
  await world.cluster.admin.apply(kinds.Secret, { metadata: { name, namespace }, data }, { force: true })
}

const from = (name: string, key: string) => ({ secretKeyRef: { name, key } })
const http = (...parameters: { key: string; value?: string; valueFrom?: ReturnType<typeof from> }[]) => ({
  ...({ port: 7117, api: '/v1/sysctl', method: 'POST', check: 'Typed' } as const),
  parameters,
})
const bearing = http({ key: 'a', value: '1' }, { key: 'b', valueFrom: from('credentials', 'password') })

/** What each agent got on the path, in its order. */
const bodies = () =>
  agents.map(({ received }) => received.filter(({ url }) => url === '/v1/sysctl').map(({ body }) => body))

/** All that the operator has said to anybody but agents. */
async function everythingSaid(): Promise<string> {
  const objects = await world.kubectl('get', 'hostrequests.keelson.dev,events,configmaps', '-A', '-o', 'json')
  return [objects, JSON.stringify(world.log), await world.metrics.text()].join('\n')
}

async function nothingShows(secret = value): Promise<void> {
  const said = await everythingSaid()
  // It is the right place to look.
  for (const word of ['RunBegun', '"level":30', 'keelson_runs_begun_total']) expect(said).toContain(word)
  for (const part of [secret, inJson, JSON.stringify(inJson).slice(1, -1), 'v4lue']) expect(said).not.toContain(part)
}

test('each agent gets the value, and nobody else: not in answers either', async () => {
  answering((response, { body }) => response.end(JSON.stringify({ before: {}, after: JSON.parse(body), said: body })))
  const status = await world.send({ http: bearing, answers: 'Sample' })
  expect(status).toMatchObject({ state: 'SUCCESS', progress: '3/3' })
  expect(bodies()).toEqual(hosts.map(() => [JSON.stringify({ a: '1', b: value })]))
  expect(status.answers).toMatchObject([{ code: 200, count: 3 }])
  expect(status.answers[0]?.body).toBe(
    '{"before":{},"after":{"a":"1","b":"[redacted]"},"said":"{\\"a\\":\\"1\\",\\"b\\":\\"[redacted]\\"}"}',
  )
  await nothingShows()
})

test('nor in what agents say of a failure, nor in a query', async () => {
  answering((response) =>
    response
      .writeHead(422)
      .end(JSON.stringify({ code: 'Refused', message: `no ${value}, ${encodeURIComponent(value)}` })),
  )
  const status = await world.send({ http: { ...bearing, method: 'GET' } })
  expect(status.msg).toContain('HTTP 422 Refused: no [redacted], [redacted]')
  expect(status.failures).toMatchObject([{ message: 'HTTP 422 Refused: no [redacted], [redacted]' }, {}, {}])
  expect(new URLSearchParams(agents[0]!.received.at(-1)?.url.split('?')[1]).get('b')).toBe(value)
  await nothingShows()
})

test('a dry run tells which Secret, and reads it, but sends nothing', async () => {
  const status = await world.send({ http: bearing, dryRun: true })
  expect(status).toMatchObject({
    state: 'SUCCESS',
    dryRun: { request: { body: '{"a":"1","b":"{secret credentials/password}"}' } },
  })
  const missing = http({ key: 'b', valueFrom: from('credentials', 'missing') })
  expect((await world.send({ http: missing, dryRun: true })).msg).toContain('has no key missing')
  expect(bodies()).toEqual([[], [], []])
  await nothingShows()
})

test('each Secret is read once a run, however many hosts and parameters it is for', async () => {
  const reads = async () =>
    (await world.cluster.asked()).filter((line) => line.startsWith('get secrets  credentials ')).length
  const before = await reads()
  const twice = http(
    { key: 'a', valueFrom: from('credentials', 'password') },
    { key: 'b', valueFrom: from('credentials', 'other') },
  )
  expect(await world.send({ http: twice, retry: { limit: 1 } })).toMatchObject({ state: 'SUCCESS' })
  expect(await reads()).toBe(before + 1)
})

describe('nothing is sent', () => {
  const reason = ({ conditions }: HostRequestStatus) => conditions.find(({ type }) => type === 'Stalled')?.reason
  test.each([
    ['no Secret', 'missing', {}, 'SecretNotFound', 'there is no Secret missing in the namespace default'],
    ['no key', 'odd', {}, 'SecretKeyNotFound', 'the Secret odd has no key k'],
    ['bytes', 'odd', { k: Uint8Array.of(0x76, 0xff) }, 'ValueRefused', 'it is not text in UTF-8'],
    ['too much', 'odd', { k: 'v4lue'.padEnd(1025, 'v') }, 'ValueRefused', 'it is longer than 1024 characters'],
    ['a line', 'odd', { k: 'v4lue\n' }, 'ValueRefused', 'it has a control character, such as a newline at its end'],
    [
      'for a shell',
      'odd',
      { k: 'v4lue;' },
      'ValueRefused',
      'with check: Text a value has no leading hyphen and nothing that means something to a shell',
    ],
    [
      'a hyphen',
      'odd',
      { k: '-v4lue' },
      'ValueRefused',
      'with check: Text a value has no leading hyphen and nothing that means something to a shell',
    ],
  ] as const)('where there is %s', async (_, name, data, wanted, words) => {
    if (name === 'odd') {
      await world.kubectl('delete', 'secret', 'odd', '--ignore-not-found')
      await writeSecret(name, data)
    }
    const parameters = [{ key: 'b', valueFrom: from(name, 'k') }]
    const status = await world.send({ http: { ...http(), check: 'Text', parameters } })
    const where = wanted === 'ValueRefused' ? 'the value of parameter "b" (Secret odd, key k) is refused: ' : ''
    expect(status).toMatchObject({ state: 'ERROR', msg: `${where}${words}; nothing was sent` })
    expect(reason(status)).toBe(wanted)
    expect(bodies()).toEqual([[], [], []])
    expect(await everythingSaid()).not.toContain('v4lue')
  })

  test('where the key is a property of every object', async () => {
    const parameters = [{ key: 'b', valueFrom: from('credentials', 'constructor') }]
    const { msg } = await world.send({ http: http(...parameters) })
    expect(msg).toBe('the Secret credentials has no key constructor; nothing was sent')
  })

  test('where the operator may not read it, until it may', async () => {
    await world.kubectl('delete', 'clusterrolebinding', 'keelson-request-secrets')
    const name = await world.create({ http: bearing })
    const status = await world.reaches(name, 'ERROR')
    expect(reason(status)).toBe('SecretForbidden')
    expect(status.msg).toContain('may not read the Secret credentials in the namespace default: bind the ClusterRole')
    await world.cluster.install()
    await world.patchSpec(name, { runToken: 'again' })
    await world.reaches(name, 'SUCCESS')
  })
})

describe('a run that another operator carries on', () => {
  /** One that host-1 has done, suspended then, and without an operator. */
  async function halfDone(): Promise<string> {
    let held: (() => void) | undefined
    agents[0]!.answer = (response) => {
      held = () => response.end('{}')
    }
    const name = await world.create({ http: bearing, parallelism: 1 })
    await eventually('host-1 has it', () => held !== undefined)
    await world.patchSpec(name, { suspend: true })
    // The operator takes requests in the order of their changes: it knows of the suspension once this one is through.
    await world.send({ workers: ['host-3'], http: { ...bearing, api: '/settle' } })
    held!()
    await world.reaches(name, 'PAUSED')
    await world.stopOperator()
    return name
  }

  test('goes on with the same value', async () => {
    const name = await halfDone()
    await world.startOperator()
    await world.patchSpec(name, { suspend: false })
    await world.reaches(name, 'SUCCESS')
    expect(bodies()).toEqual(hosts.map(() => [JSON.stringify({ a: '1', b: value })]))
    await nothingShows()
  })

  test.each([
    [
      'was written',
      () => writeSecret('credentials', { password: 'v4lue two' }),
      'SecretChanged',
      'a Secret has been written since the run began (credentials); change runToken to send what it holds now',
    ],
    [
      'is gone',
      () => world.kubectl('delete', 'secret', 'credentials'),
      'SecretNotFound',
      'there is no Secret credentials in the namespace default',
    ],
  ] as const)('ends where the Secret %s: no host gets another value', async (_, change, reason, words) => {
    const name = await halfDone()
    await change()
    await world.startOperator()
    await world.patchSpec(name, { suspend: false })
    const status = await world.reaches(name, 'ERROR')
    expect(status).toMatchObject({ msg: `${words}; 1/3 hosts answered`, succeeded: '0' })
    expect(status.conditions.find(({ type }) => type === 'Stalled')).toMatchObject({ status: 'True', reason })
    expect(bodies().map(({ length }) => length)).toEqual([1, 0, 0])
    await nothingShows('v4lue two')
  })
})
