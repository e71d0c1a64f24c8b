import { CertificateAuthority } from '@keelson/testbed'
import { agentPort } from '@keelson/api'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { addressCheck } from '../delivery/address.ts'
import { HostPools, type ClientCertificate } from '../delivery/host-pools.ts'
import { loopbackAddress } from '../testing/addresses.ts'
import { specOf, type SpecSketch } from '../testing/objects.ts'
import { Receiver, type ReceiverOptions } from '../testing/receiver.ts'
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
})
afterEach(() => stack.disposeAsync())

const receiver = async (options: ReceiverOptions = {}) => stack.use(await Receiver.start(options))
const mayConnect = addressCheck({ allowLoopback: true })

const agentAddress = loopbackAddress(1)

const idempotencyKey = '7f0c-1/0/2e5a'

async function outcomeOf(sketch: SpecSketch, address: string | undefined = '127.0.0.1'): Promise<Outcome> {
  const target = { host: 'worker-1', address, idempotencyKey }
  return sender(specOf(sketch), pools, mayConnect)(target, new AbortController().signal)
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
    ['169.254.169.254', 'the address 169.254.169.254 is refused: no host of a cluster has it'],
    ['http://evil.example', 'the address http://evil.example is refused: no host of a cluster has it'],
  ])('%s: nothing is sent', async (address, message) => {
    const send = sender(specOf({}), pools, mayConnect)
    expect(await send({ host: 'worker-1', address, idempotencyKey }, new AbortController().signal)).toEqual({
      ...{ outcome: 'failed', reason: 'AddressRefused', message },
    })
    expect(pools.size.connections).toBe(0)
  })

  test('nor to this machine, unless a test bed allows it', async () => {
    const host = await receiver()
    const send = sender(specOf({ http: { port: host.port } }), pools, addressCheck({ allowLoopback: false }))
    expect(
      await send({ host: 'worker-1', address: '127.0.0.1', idempotencyKey }, new AbortController().signal),
    ).toMatchObject({
      ...{ outcome: 'failed', reason: 'AddressRefused' },
    })
    expect(host.accepted).toBe(0)
  })
})
