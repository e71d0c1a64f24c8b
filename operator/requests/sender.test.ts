import type { ServerResponse } from 'node:http'
import { CertificateAuthority, eventually } from '@keelson/testbed'
import { agentPort, type HostRequestSpec } from '@keelson/api'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { HostPools, type ClientCertificate } from '../delivery/host-pools.ts'
import { WriteOrder } from '../delivery/write-order.ts'
import { HostAddresses } from '../hosts/host-addresses.ts'
import { loopbackAddress } from '../testing/addresses.ts'
import { specOf, type SpecSketch } from '../testing/objects.ts'
import { Receiver, type Received, type ReceiverOptions } from '../testing/receiver.ts'
import type { Outcome } from './outcome.ts'
import { sender } from './sender.ts'

let authority: CertificateAuthority
let client: ClientCertificate
let pools: HostPools
let stack: AsyncDisposableStack
beforeAll(async () => {
  authority = await CertificateAuthority.create('agents')
  const pair = await authority.issue({ subject: 'CN=operator', usages: ['client'] })
  client = { ...pair, ca: authority.certificate }
})
beforeEach(() => {
  stack = new AsyncDisposableStack()
  pools = stack.use(new HostPools(() => client))
  order = new WriteOrder(3)
})
afterEach(() => stack.disposeAsync())

const receiver = async (options: ReceiverOptions = {}) => stack.use(await Receiver.start(options))
const refuseBy = (allowLoopback: boolean) =>
  new HostAddresses(allowLoopback, () => ({ apiServers: new Set(), serviceRanges: [] })).refuse

const agentAddress = loopbackAddress(1)

let order: WriteOrder
const ports = () => ({ pools, order, refuseAddress: refuseBy(true), random: () => 0 })

const idempotencyKey = '7f0c-1/0/2e5a'

const plain = ({ http }: HostRequestSpec) => ({
  parameters: http.parameters.map(({ key, value = '' }) => ({ key, value })),
})

async function outcomeOf(sketch: SpecSketch, address: string | undefined = '127.0.0.1'): Promise<Outcome> {
  const target = { host: 'worker-1', address, idempotencyKey }
  const spec = specOf(sketch)
  return sender(spec, ports(), plain(spec))(target, new AbortController().signal)
}

describe('a web server', () => {
  test('that answers a success code', async () => {
    const { port } = await receiver({ answer: (response) => response.writeHead(204).end() })
    expect(await outcomeOf({ http: { port } })).toEqual({ outcome: 'succeeded' })
  })

  test('that answers another code: the code is told, its words are not', async () => {
    const { port } = await receiver({
      answer: (response) => response.writeHead(500).end('{"code":"Hacked","message":"look here"}'),
    })
    expect(await outcomeOf({ http: { port, method: 'POST' } })).toEqual({
      ...{ outcome: 'failed', reason: 'HTTPStatus', code: 500, message: 'HTTP 500' },
    })
  })

  test.each([
    ['GET', undefined],
    ...['POST', 'PUT', 'PATCH', 'DELETE'].map((method) => [method, idempotencyKey] as const),
  ] as const)('gets a %s as such, with the key %s', async (method, key) => {
    const host = await receiver()
    const http = { port: host.port, method: method as 'GET', parameters: [{ key: 'a', value: 'b c' }] }
    expect(await outcomeOf({ http })).toEqual({ outcome: 'succeeded' })
    const inQuery = method === 'GET' || method === 'DELETE'
    expect(host.received).toMatchObject([
      { method, url: inQuery ? '/status?a=b+c' : '/status', body: inQuery ? '' : '{"a":"b c"}', idempotencyKey: key },
    ])
  })

  test('whose success is what the spec says', async () => {
    const { port } = await receiver({ answer: (response) => response.writeHead(418).end() })
    expect(await outcomeOf({ http: { port, successCodes: ['418'] } })).toMatchObject({ outcome: 'succeeded' })
    expect(await outcomeOf({ http: { port, successCodes: ['2xx', '417'] } })).toMatchObject({ outcome: 'failed' })
  })

  test.each(['GET', 'POST'] as const)('that hangs up on a %s', async (method) => {
    const { port } = await receiver({ answer: (response) => response.destroy() })
    const outcome = await outcomeOf({ http: { port, method } })
    expect(outcome).toMatchObject({ outcome: method === 'GET' ? 'failed' : 'unknown', reason: 'ConnectionLost' })
    expect((outcome as { message: string }).message.endsWith('; the host may have got the request')).toBe(
      method === 'POST',
    )
  })

  test('that is not there: a POST that nobody got has failed', async () => {
    const gone = await Receiver.start()
    const { port } = gone
    await gone[Symbol.asyncDispose]()
    expect(await outcomeOf({ http: { port, method: 'POST' } })).toMatchObject({
      ...{ outcome: 'failed', reason: 'ConnectFailed', message: 'connection refused: nothing listens on the port' },
    })
  })

  test('that answers too much: the code is told', async () => {
    const { port } = await receiver({ answer: (response) => response.end(Buffer.alloc(100_000)) })
    expect(await outcomeOf({ http: { port, method: 'POST' } })).toEqual({
      ...{ outcome: 'failed', reason: 'AnswerTooLarge', code: 200 },
      message: 'answered HTTP 200 and more than 64 KiB',
    })
  })
})

describe('an agent', () => {
  async function agent(answer: ReceiverOptions['answer']): Promise<Receiver> {
    const pair = await authority.issue({ subject: 'CN=a', dnsNames: ['worker-1'], usages: ['server'] })
    const tls = { cert: pair.certificate, key: pair.key, ca: authority.certificate, requestCert: true }
    return receiver({ address: agentAddress, port: agentPort, tls, ...(answer === undefined ? {} : { answer }) })
  }

  test('is spoken to by TLS with its name, and its words are told', async () => {
    await agent((response) =>
      response
        .writeHead(422)
        .end(JSON.stringify({ code: 'NoSuchKey', message: 'net.no: no such key', field: 'net.no' })),
    )
    expect(await outcomeOf({ http: { port: agentPort, method: 'POST' } }, agentAddress)).toEqual({
      ...{ outcome: 'failed', reason: 'HTTPStatus', code: 422 },
      message: 'HTTP 422 NoSuchKey: net.no: no such key',
    })
  })

  const post = { port: agentPort, method: 'POST' } as const
  const words = (code: string, message = 'words') => JSON.stringify({ code, message })
  type Reply = (response: ServerResponse, received: Received) => void

  /** Answers one delivery after the other, each as told; the last one again and again. */
  const oneByOne = (...replies: readonly Reply[]) => {
    const rest = [...replies]
    return (response: ServerResponse, received: Received) =>
      (rest.length > 1 ? rest.shift()! : rest[0]!)(response, received)
  }
  const refuse =
    (status: number, code: string, headers: Readonly<Record<string, string>> = {}): Reply =>
    (response) =>
      response.writeHead(status, headers).end(words(code))
  const accept: Reply = (response) => response.end('{}')

  test('gets epoch and sequence with each write, later each time, and a GET without', async () => {
    const host = await agent(accept)
    for (const http of [post, post, { port: agentPort }]) await outcomeOf({ http }, agentAddress)
    expect(host.received.map(({ order: place }) => place)).toEqual(['3/1', '3/2', undefined])
    expect(host.accepted).toBe(1)
  })

  test('that is still at it is asked again with the same key until it tells', async () => {
    const host = await agent(oneByOne(refuse(409, 'InFlight'), refuse(409, 'InFlight'), accept))
    expect(await outcomeOf({ http: post }, agentAddress)).toEqual({ outcome: 'succeeded' })
    expect(host.received.map((received) => received.idempotencyKey)).toEqual(Array(3).fill(idempotencyKey))
    expect(host.received.map(({ order: place }) => place)).toEqual(['3/1', '3/2', '3/3'])
  })

  test('that is at it for longer than the timeout leaves its outcome unknown', async () => {
    const host = await agent(refuse(409, 'InFlight'))
    const sketch = { http: post, timeoutSeconds: 1 }
    expect(await outcomeOf(sketch, agentAddress)).toMatchObject({ outcome: 'unknown', reason: 'InFlight', code: 409 })
    expect(host.received.length).toBeGreaterThan(2)
  })

  test('that said that it is at it, and is silent then, is at it', async () => {
    await agent(oneByOne(refuse(409, 'InFlight'), () => undefined))
    const sketch = { http: post, timeoutSeconds: 1 }
    expect(await outcomeOf(sketch, agentAddress)).toMatchObject({ outcome: 'unknown', reason: 'InFlight' })
  })

  test('that saw a later write of ours gets a later sequence, with the same key', async () => {
    const seen = { 'keelson-epoch': '3', 'keelson-sequence': '41' }
    const host = await agent(oneByOne(refuse(409, 'Superseded', seen), accept))
    expect(await outcomeOf({ http: post }, agentAddress)).toEqual({ outcome: 'succeeded' })
    expect(host.received.map(({ order: place }) => place)).toEqual(['3/1', '3/42'])
    expect(new Set(host.received.map((received) => received.idempotencyKey)).size).toBe(1)
  })

  test('that says so for ever has failed: nothing was done', async () => {
    await agent(refuse(409, 'Superseded', { 'keelson-epoch': '3', 'keelson-sequence': '9007199254740991' }))
    expect(await outcomeOf({ http: post }, agentAddress)).toMatchObject({ outcome: 'failed', reason: 'Superseded' })
  })

  test('that saw a later leader ends it all', async () => {
    const host = await agent(refuse(409, 'Superseded', { 'keelson-epoch': '4', 'keelson-sequence': '1' }))
    await expect(outcomeOf({ http: post }, agentAddress)).rejects.toMatchObject({ code: 'Superseded' })
    expect(host.received.length).toBe(1)
  })

  test.each([
    [422, 'IdempotencyKeyReused'],
    [503, 'Busy'],
    [503, 'AgentStopping'],
    [507, 'NoSpace'],
    [500, 'NotRecorded'],
    [400, 'OrderMissing'],
  ])('that answers %i %s has failed for certain', async (status, reason) => {
    const host = await agent(refuse(status, reason))
    expect(await outcomeOf({ http: post }, agentAddress)).toEqual({
      ...{ outcome: 'failed', reason, code: status, message: `HTTP ${status} ${reason}: words` },
    })
    expect(host.received.length).toBe(1)
  })

  test('that hangs up in the act is asked again with the same key, on a fresh connection', async () => {
    const host = await agent(
      oneByOne(
        accept,
        (response) => response.destroy(),
        (response) => response.destroy(),
        accept,
      ),
    )
    for (let times = 0; times < 2; times += 1)
      expect(await outcomeOf({ http: post }, agentAddress)).toEqual({ outcome: 'succeeded' })
    expect([host.received.length, host.accepted]).toEqual([4, 3])
  })

  test('that hangs up for ever leaves its outcome unknown, in few attempts', async () => {
    const host = await agent((response) => response.destroy())
    expect(await outcomeOf({ http: post }, agentAddress)).toMatchObject({
      outcome: 'unknown',
      reason: 'ConnectionLost',
    })
    expect(host.received.length).toBe(4)
  })

  test('that was never reached has failed at once', async () => {
    expect(await outcomeOf({ http: post }, agentAddress)).toMatchObject({ outcome: 'failed', reason: 'ConnectFailed' })
  })

  test('that accepts and never answers leaves its outcome unknown', async () => {
    const host = await agent(() => undefined)
    const sketch = { http: post, timeoutSeconds: 1 }
    expect(await outcomeOf(sketch, agentAddress)).toMatchObject({ outcome: 'unknown', reason: 'HeadersTimeout' })
    await eventually('its connections are closed', () => host.open.size === 0)
  })

  test('that answers byte by byte leaves its outcome unknown', async () => {
    await agent((response) => {
      const timer = setInterval(() => response.write('x'), 20)
      response.on('close', () => clearInterval(timer))
    })
    const sketch = { http: post, timeoutSeconds: 1 }
    expect(await outcomeOf(sketch, agentAddress)).toMatchObject({
      outcome: 'unknown',
      reason: 'BodyTimeout',
      code: 200,
    })
  })

  test('that answers 1 MB, or control characters, does no harm', async () => {
    const host = await agent((response) => response.end(Buffer.alloc(1_000_000)))
    expect(await outcomeOf({ http: post }, agentAddress)).toMatchObject({ outcome: 'failed', reason: 'AnswerTooLarge' })
    expect(host.received.length).toBe(1)
    host.answer = (response) => response.writeHead(500).end(words('Bad', 'a\u001b[31mb\r\nc\0\u202e'))
    expect(await outcomeOf({ http: post }, agentAddress)).toMatchObject({ message: 'HTTP 500 Bad: a [31mb c' })
  })

  test('that does not know what became of an earlier delivery leaves its outcome unknown', async () => {
    await agent((response) =>
      response
        .writeHead(409)
        .end(JSON.stringify({ code: 'OutcomeUnknown', message: 'the agent ended during the act' })),
    )
    expect(await outcomeOf({ http: { port: agentPort, method: 'POST' } }, agentAddress)).toMatchObject({
      ...{ outcome: 'unknown', reason: 'OutcomeUnknown', code: 409 },
    })
  })

  test.each([
    ['without words', '', 'HTTP 500'],
    ['with other words', '[1]', 'HTTP 500'],
    [
      'with too many words',
      JSON.stringify({ code: 'X', message: '机'.repeat(9_000) }),
      `HTTP 500 X: ${'机'.repeat(80)}…`,
    ],
  ])('%s', async (_, body, message) => {
    await agent((response) => response.writeHead(500).end(body))
    expect(await outcomeOf({ http: { port: agentPort } }, agentAddress)).toMatchObject({ code: 500, message })
  })
})

describe('an address that no host can have', () => {
  test.each([
    [undefined, 'the Host has no InternalIP'],
    ['169.254.169.254', "the address 169.254.169.254 is refused: it is link-local, so no host's own"],
    ['http://evil.example', "the address http://evil.example is refused: it is no IP address, so no host's own"],
  ])('%s: nothing is sent', async (address, message) => {
    const send = sender(specOf({}), ports(), plain(specOf({})))
    expect(await send({ host: 'worker-1', address, idempotencyKey }, new AbortController().signal)).toEqual({
      ...{ outcome: 'failed', reason: 'AddressRefused', message },
    })
    expect(pools.size.connections).toBe(0)
  })

  test('nor to this machine, unless a test bed allows it', async () => {
    const host = await receiver()
    const spec = specOf({ http: { port: host.port } })
    const send = sender(spec, { ...ports(), refuseAddress: refuseBy(false) }, plain(spec))
    expect(
      await send({ host: 'worker-1', address: '127.0.0.1', idempotencyKey }, new AbortController().signal),
    ).toMatchObject({
      ...{ outcome: 'failed', reason: 'AddressRefused' },
    })
    expect(host.accepted).toBe(0)
  })
})
