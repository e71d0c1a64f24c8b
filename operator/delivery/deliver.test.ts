import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { agentPort } from '@keelson/api'
import { CertificateAuthority, eventually } from '@keelson/testbed'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { loopbackAddress } from '../testing/addresses.ts'
import { Receiver, type Answer, type ReceiverOptions } from '../testing/receiver.ts'
import { deliver, type Delivery, type DeliveryRequest } from './deliver.ts'
import { HostPools, type ClientCertificate } from './host-pools.ts'

let authority: CertificateAuthority
let client: ClientCertificate
let pools: HostPools
let stack: AsyncDisposableStack
const never = new AbortController().signal

beforeAll(async () => {
  authority = await CertificateAuthority.create('agents')
  const pair = await authority.issue({ subject: 'CN=operator', dnsNames: ['request.keelson.dev'], usages: ['client'] })
  client = { ...pair, ca: authority.certificate }
})

beforeEach(() => {
  stack = new AsyncDisposableStack()
  pools = stack.use(new HostPools(() => client))
})

afterEach(() => stack.disposeAsync())

const receiver = async (options: ReceiverOptions = {}) => stack.use(await Receiver.start(options))

/** A server below HTTP. */
async function rawServer(serve: (socket: Socket) => void): Promise<{ port: number }> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    serve(socket.on('error', () => undefined))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  stack.defer(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return { port: (server.address() as AddressInfo).port }
}

/** Accepts nothing, and its queue is full. */
async function deafServer(): Promise<{ port: number; full: Promise<void> }> {
  const script = `const s = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    process.stdout.write(s.address().port + '\\n', () => { for (;;); })
  })`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  stack.defer(() => void child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(line.toString())
  const fill = async () => {
    for (let open = 0; open < 2; open += 1) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined)
      stack.defer(() => void socket.destroy())
      await once(socket, 'connect')
    }
  }
  return { port, full: fill() }
}

async function serverTls(name: string, by = authority): Promise<ReceiverOptions> {
  const { certificate, key } = await by.issue({ subject: `CN=${name}`, dnsNames: [name], usages: ['server'] })
  const tls = { cert: certificate, key, ca: authority.certificate, requestCert: true, rejectUnauthorized: true }
  return { tls: { ...tls, minVersion: 'TLSv1.3' } }
}

/** An agent's port needs an address of its own. */
const agentAddress = loopbackAddress(3)
const onAgentPort = { address: agentAddress, port: agentPort }

const endpointOf = ({ port }: { port: number }, scheme: 'http' | 'https' = 'http', host = 'worker-1') => ({
  ...{ host, address: port === agentPort ? agentAddress : '127.0.0.1', port, scheme },
})

/** Answers, and from then on reads no more of the connections that it has: as if the host were gone, and nobody had been told. */
const thenSilent: Answer = (response) => {
  const { socket } = response
  response.on('close', () => socket?.pause()).end()
}

const isSilent = ({ open }: Receiver) => open.size > 0 && [...open].every((socket) => socket.isPaused())

async function send(
  to: { port: number },
  request: Partial<DeliveryRequest> = {},
  options: { scheme?: 'http' | 'https'; signal?: AbortSignal } = {},
): Promise<Delivery> {
  const whole = { method: 'GET' as const, path: '/v1/x', parameters: [], timeoutMs: 5_000, ...request }
  return deliver(pools, endpointOf(to, options.scheme), whole, options.signal ?? never)
}

const parameters = [
  { key: 'b/c', value: 'a b' },
  { key: 'a', value: '' },
  { key: 'a.b', value: '1=2%é机' },
]

describe('what is sent', () => {
  test('GET bears the parameters in the query, in their order', async () => {
    const host = await receiver()
    expect(await send(host, { parameters })).toMatchObject({ answered: true, statusCode: 200, body: Buffer.alloc(0) })
    expect(host.received).toEqual([
      {
        ...{ method: 'GET', body: '', contentType: undefined },
        url: '/v1/x?b%2Fc=a+b&a=&a.b=1%3D2%25%C3%A9%E6%9C%BA',
      },
    ])
    await send(host)
    expect(host.received[1]?.url).toBe('/v1/x')
  })

  test('POST bears them as a JSON object of strings', async () => {
    const host = await receiver()
    await send(host, { method: 'POST', parameters: [...parameters, { key: '__proto__', value: 'own' }] })
    const [{ body, ...rest }] = host.received as [(typeof host.received)[0]]
    expect(rest).toEqual({ method: 'POST', url: '/v1/x', contentType: 'application/json' })
    expect(Object.entries(JSON.parse(body) as object)).toEqual([
      ...[...parameters, { key: '__proto__', value: 'own' }].map(({ key, value }) => [key, value]),
    ])
    await send(host, { method: 'POST' })
    expect(host.received[1]?.body).toBe('{}')
  })

  test('a redirect is an answer and is not followed', async () => {
    const other = await receiver()
    const host = await receiver({
      answer: (response) => response.writeHead(302, { location: `http://127.0.0.1:${other.port}/` }).end(),
    })
    expect(await send(host)).toMatchObject({ answered: true, statusCode: 302 })
    expect(other.received).toEqual([])
  })
})

describe('answers', () => {
  test('of 64 KiB are read whole, one byte more is too large and ends the connection', async () => {
    const host = await receiver({ answer: (response) => response.end(Buffer.alloc(64 * 1024, 'x')) })
    expect(await send(host)).toMatchObject({ answered: true, statusCode: 200, body: Buffer.alloc(64 * 1024, 'x') })
    host.answer = (response) => response.writeHead(201).end(Buffer.alloc(64 * 1024 + 1, 'x'))
    expect(await send(host, { method: 'POST' })).toEqual({
      answered: false,
      failure: {
        ...{ reason: 'AnswerTooLarge', code: 201, unanswered: false },
        message: 'answered HTTP 201 and more than 64 KiB',
      },
    })
  })

  test('without an end are cut off, not kept', async () => {
    let written = 0
    const host = await receiver({
      answer: (response) => {
        const more = () => {
          do written += 16_384
          while (!response.destroyed && response.write(Buffer.alloc(16_384)))
        }
        response.on('drain', more)
        more()
      },
    })
    expect(await send(host)).toMatchObject({ answered: false, failure: { reason: 'AnswerTooLarge' } })
    await eventually('the connection is closed', () => host.open.size === 0)
    expect(written).toBeLessThan(16 * 1024 * 1024)
  })
})

describe('within the timeout', () => {
  const slow = { timeoutMs: 300 }
  const late = (reason: string, words: string, unanswered: boolean, rest = {}) => ({
    ...{ answered: false, failure: { reason, message: `${words} within 0.3 s`, unanswered, ...rest } },
  })
  const post = { ...slow, method: 'POST' } as const

  /** Runs into a test's own time limit if the timeout did not hold: all of these servers would wait for ever. */
  test('comes no answer', async () => {
    const host = await receiver({ answer: () => undefined })
    expect(await send(host, post)).toEqual(late('HeadersTimeout', 'no answer', true))
    await eventually('the connection is closed', () => host.open.size === 0)
    expect(host.received.length).toBe(1)
  })

  test('of which a part has passed comes no answer: told by the whole, so that equal failures have equal words', async () => {
    const host = await receiver({ answer: () => undefined })
    expect(await send(host, { ...post, leftMs: 123.456 })).toEqual(late('HeadersTimeout', 'no answer', true))
  })

  test('comes half of the head of an answer', async () => {
    const host = await rawServer((socket) => socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-')))
    expect(await send(host, post)).toEqual(late('HeadersTimeout', 'no answer', true))
  })

  test('comes a body byte by byte, for ever', async () => {
    const host = await receiver({
      answer: (response) => {
        const timer = setInterval(() => response.write('x'), 20)
        response.on('close', () => clearInterval(timer))
      },
    })
    expect(await send(host, post)).toEqual(late('BodyTimeout', 'no whole answer', true, { code: 200 }))
    await eventually('the connection is closed', () => host.open.size === 0)
  })

  test('comes no TLS handshake from a host that accepts: certainly nothing was sent', async () => {
    const host = await rawServer(() => undefined)
    expect(await send(host, post, { scheme: 'https' })).toMatchObject({
      failure: {
        reason: 'TLSTimeout',
        message: expect.stringMatching(/^no TLS handshake within 0\.3 s$/) as string,
        unanswered: false,
      },
    })
  })

  test('comes no connection from a host that does not answer: certainly nothing was sent', async () => {
    // A listener whose queue is full drops further SYNs, as a host that is gone does.
    const { port, full } = await deafServer()
    await full
    expect(await send({ port }, post)).toEqual(late('ConnectTimeout', 'no connection', false))
  })

  test('comes no connection: certainly nothing was sent, not even when it comes later', async () => {
    const host = await receiver(await serverTls('worker-1'))
    const { promise: release, resolve } = Promise.withResolvers<void>()
    const gate = await rawServer((socket) => {
      const forward = () =>
        socket
          .pipe(connect(host.port, '127.0.0.1'))
          .on('error', () => undefined)
          .pipe(socket)
      void release.then(forward)
    })
    expect(await send(gate, post, { scheme: 'https' })).toMatchObject({
      failure: { reason: 'TLSTimeout', unanswered: false },
    })
    resolve()
    await eventually('the connection has come and gone', () => host.accepted === 1 && host.open.size === 0)
    expect(host.received).toEqual([])
  })

  test('comes no free connection: certainly nothing was sent', async () => {
    const host = await receiver({ answer: () => undefined })
    const busy = Array.from({ length: 4 }, () => send(host, { timeoutMs: 1_000 }))
    await eventually('all four connections are busy', () => host.received.length === 4)
    expect(await send(host, slow)).toEqual(late('QueueTimeout', 'no free connection', false))
    await Promise.all(busy)
    expect(host.received.length).toBe(4)
  })
})

describe('connections that fail', () => {
  test('refused: certainly nothing was sent', async () => {
    const gone = await Receiver.start()
    const { port } = gone
    await gone[Symbol.asyncDispose]()
    expect(await send({ port }, { method: 'POST' })).toEqual({
      answered: false,
      failure: {
        ...{ reason: 'ConnectFailed', unanswered: false },
        message: 'connection refused: nothing listens on the port',
      },
    })
  })

  test('reset in the middle of the answer: the answer is lost', async () => {
    const host = await rawServer((socket) =>
      socket.once('data', () =>
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf', () => socket.resetAndDestroy()),
      ),
    )
    expect(await send(host, { method: 'POST' })).toMatchObject({
      ...{ answered: false, failure: { reason: 'ConnectionLost', unanswered: true } },
    })
  })

  test('closed without an answer: the answer is lost', async () => {
    const host = await rawServer((socket) => socket.once('data', () => socket.end()))
    const delivery = await send(host, { method: 'POST' })
    expect(delivery).toMatchObject({ answered: false, failure: { reason: 'ConnectionLost', unanswered: true } })
  })

  test('something else than HTTP answers: as good as none', async () => {
    const host = await rawServer((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'))
    expect(await send(host)).toMatchObject({ answered: false, failure: { reason: 'ConnectionLost' } })
  })

  test('make the next request open its own: others to the same host may be as dead', async () => {
    const waiting: (() => void)[] = []
    const host = await receiver({ answer: (response) => void waiting.push(() => response.end()) })
    const both = [send(host), send(host, { timeoutMs: 300 })]
    await eventually('both are there', () => host.received.length === 2)
    waiting[0]!()
    expect((await Promise.all(both)).map(({ answered }) => answered)).toEqual([true, false])
    host.answer = (response) => response.end()
    await send(host)
    expect(host.accepted).toBe(3)
  })

  test('without a word are no danger to what must not be sent twice: it has its own connection', async () => {
    const host = await receiver({ answer: thenSilent })
    await send(host)
    await eventually('the host is silent', () => isSilent(host))
    host.answer = (response) => response.end()
    expect(await send(host, { method: 'POST', timeoutMs: 2_000 })).toMatchObject({ answered: true })
    expect(await send(host, { timeoutMs: 300 })).toMatchObject({ failure: { reason: 'HeadersTimeout' } })
  })

  test('closed before it is TLS: certainly nothing was sent', async () => {
    const host = await rawServer((socket) => socket.destroy())
    expect(await send(host, { method: 'POST' }, { scheme: 'https' })).toMatchObject({
      ...{ answered: false, failure: { reason: 'TLSFailed', unanswered: false } },
    })
  })
})

describe('TLS', () => {
  test('with the name of the host', async () => {
    const host = await receiver({ ...onAgentPort, ...(await serverTls('worker-1')) })
    expect(await send(host, {}, { scheme: 'https' })).toMatchObject({ answered: true, statusCode: 200 })
  })

  const refused = { answered: false, failure: { reason: 'TLSFailed', unanswered: false } }

  test('with the name of another host', async () => {
    const host = await receiver(await serverTls('worker-2'))
    const delivery = await send(host, { method: 'POST' }, { scheme: 'https' })
    expect(delivery).toMatchObject(refused)
    expect(JSON.stringify(delivery)).toMatch(/for DNS:worker-2, not for DNS:worker-1/)
    expect(host.received).toEqual([])
  })

  test('of an authority that is not ours', async () => {
    const host = await receiver(await serverTls('worker-1', await CertificateAuthority.create('agents')))
    expect(await send(host, { method: 'POST' }, { scheme: 'https' })).toMatchObject(refused)
    expect(host.received).toEqual([])
  })

  test('of a server that does not take our certificate', async () => {
    const { tls } = await serverTls('worker-1')
    const strict = await CertificateAuthority.create('others')
    const host = await receiver({ ...onAgentPort, tls: { ...tls, ca: strict.certificate } })
    const delivery = await send(host, { method: 'POST' }, { scheme: 'https' })
    expect(delivery).toMatchObject({ answered: false })
    expect(host.received).toEqual([])
  })

  test('of a server that says in the words of TLS that it wants a certificate: it has not read the request', async () => {
    const host = await receiver(await serverTls('worker-1'))
    // Off the agent's port none is shown.
    const delivery = await send(host, { method: 'POST' }, { scheme: 'https' })
    expect(delivery).toMatchObject(refused)
    expect(JSON.stringify(delivery)).toMatch(/CERTIFICATE_REQUIRED/)
    expect(host.received).toEqual([])
  })

  test('of a server that speaks none', async () => {
    const host = await receiver()
    expect(await send(host, { method: 'POST' }, { scheme: 'https' })).toMatchObject(refused)
  })
})

describe('what may be repeated', () => {
  const repeatable = { method: 'POST', repeatable: true } as const

  test('goes over a connection that was used before', async () => {
    const host = await receiver()
    for (let times = 0; times < 3; times += 1) await send(host, repeatable)
    expect([host.accepted, host.received.length]).toEqual([1, 3])
  })

  test('is repeated over a fresh one where that hangs up without an answer', async () => {
    const host = await receiver()
    await send(host, repeatable)
    host.answer = (response) => {
      host.answer = (next) => next.end('again')
      response.destroy()
    }
    expect(await send(host, repeatable)).toMatchObject({ answered: true, body: Buffer.from('again') })
    expect([host.accepted, host.received.length]).toEqual([2, 3])
  })

  test('is repeated over a fresh one where that is silent', async () => {
    const host = await receiver({ answer: thenSilent })
    await send(host, repeatable)
    await eventually('the host is silent', () => isSilent(host))
    host.answer = (response) => response.end()
    expect(await send(host, { ...repeatable, timeoutMs: 4_000 })).toMatchObject({ answered: true })
    expect([host.accepted, host.received.length]).toEqual([2, 2])
  })

  test('is not repeated where a fresh connection hangs up, nor once an answer has begun', async () => {
    const host = await receiver({ answer: (response) => response.destroy() })
    expect(await send(host, repeatable)).toMatchObject({ failure: { reason: 'ConnectionLost', unanswered: true } })
    expect(host.received.length).toBe(1)
    host.answer = (response) => response.end()
    await send(host, repeatable)
    host.answer = (response) => response.writeHead(200).write('x', () => response.destroy())
    expect(await send(host, repeatable)).toMatchObject({ failure: { reason: 'ConnectionLost', code: 200 } })
    expect(host.received.length).toBe(3)
  })

  test('of a host that hung up and is gone: it may have got the request', async () => {
    const host = await receiver()
    await send(host, repeatable)
    host.answer = (response) => {
      host.refuse()
      response.destroy()
    }
    expect(await send(host, repeatable)).toMatchObject({ failure: { reason: 'ConnectFailed', unanswered: true } })
  })

  test('of a host that was silent and is gone: it may have got the request before it was cut off', async () => {
    const host = await receiver({ answer: thenSilent })
    await send(host, repeatable)
    await eventually('the host is silent', () => isSilent(host))
    host.answer = (response) => response.end()
    host.refuse()
    expect(await send(host, { ...repeatable, timeoutMs: 1_000 })).toMatchObject({
      failure: { reason: 'ConnectFailed', unanswered: true },
    })
    expect(host.received.length).toBe(1)
  })
})

describe('an abort', () => {
  const stopped = new Error('stopped')

  test('closes the connection at once and throws its reason', async () => {
    const host = await receiver({ answer: () => undefined })
    const stop = new AbortController()
    const delivery = send(host, { timeoutMs: 60_000 }, { signal: stop.signal })
    await eventually('the request is there', () => host.received.length === 1)
    stop.abort(stopped)
    await expect(delivery).rejects.toBe(stopped)
    await eventually('the connection is closed', () => host.open.size === 0)
    expect(host.abandoned).toBe(1)
  })

  test('does so in the middle of the body', async () => {
    const host = await receiver({ answer: (response) => response.write('x') })
    const stop = new AbortController()
    const delivery = send(host, { timeoutMs: 60_000 }, { signal: stop.signal })
    await eventually('the request is there', () => host.received.length === 1)
    stop.abort(stopped)
    await expect(delivery).rejects.toBe(stopped)
    await eventually('the connection is closed', () => host.open.size === 0)
  })

  test('does not wait for a connection that does not come', async () => {
    const host = await rawServer(() => undefined)
    const stop = new AbortController()
    const delivery = send(host, { timeoutMs: 60_000 }, { scheme: 'https', signal: stop.signal })
    setImmediate(() => stop.abort(stopped))
    await expect(delivery).rejects.toBe(stopped)
  })

  test('that came before sends nothing and opens nothing', async () => {
    const host = await receiver()
    await expect(send(host, {}, { signal: AbortSignal.abort(stopped) })).rejects.toBe(stopped)
    expect(pools.size.connections).toBe(0)
    expect(host.accepted).toBe(0)
  })
})
