import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { AgentError, ChangeResult, Facts } from '@keelson/api'
import { ResourceError, type ResourceType } from '@keelson/engine'
import { CertificateAuthority, eventually } from '@keelson/testbed'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createPki, RunningAgent, type Pki } from './agent.fixture.ts'
import { maxBodyBytes } from './parameters.ts'

const forward = '/proc/sys/net/ipv4/ip_forward'
const files = {
  '/proc/sys/kernel/hostname': 'node1\n',
  '/proc/sys/kernel/osrelease': '6.1.0\n',
  '/proc/sys/kernel/random/boot_id': 'b\n',
  '/etc/os-release': 'ID=debian\nVERSION_ID=12\n',
  [forward]: '0\n',
}

let pki: Pki
beforeAll(async () => {
  pki = await createPki(await CertificateAuthority.create('keelson'))
})

/** A type that keeps what it is given in memory, and lets the test hold its acts. */
class Probe {
  readonly acts: string[] = []
  readonly stopped: string[] = []
  reads = 0
  inHand = 0
  mostInHand = 0
  readonly #gates: (() => void)[] = []
  held = false

  release(): void {
    this.#gates.shift()?.()
  }

  type(name = 'probe'): ResourceType {
    return {
      name,
      version: 1,
      query: z.object({}),
      body: z.record(z.string(), z.string()),
      read: async () => {
        this.reads++
        return {}
      },
      fields: () => ({ acts: String(this.acts.length) }),
      diff: () => [{ field: 'act', from: '', to: '' }],
      apply: async (_system, { desired }, signal) => {
        const { id = '', fail } = desired as Readonly<Record<string, string>>
        this.inHand++
        this.mostInHand = Math.max(this.mostInHand, this.inHand)
        this.acts.push(id)
        if (this.held) {
          await new Promise<void>((resolve, reject) => {
            this.#gates.push(resolve)
            signal.addEventListener('abort', () => {
              this.stopped.push(id)
              reject(signal.reason as Error)
            })
          })
        }
        this.inHand--
        if (fail === 'state') throw new ResourceError('state', 'NotNow', 'not now', { field: 'id' })
        if (fail === 'unforeseen') throw new TypeError('secret inside')
      },
    }
  }
}

function postOf(body: string): string {
  return `POST /v1/probe HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

function types(...all: ResourceType[]): ReadonlyMap<string, ResourceType> {
  return new Map(all.map((type) => [type.name, type]))
}

describe('routes', () => {
  test('facts', async () => {
    await using agent = await RunningAgent.start(pki, { files })
    const { status, body, headers } = await agent.call({ path: '/v1/facts' })
    expect(status).toBe(200)
    expect(Facts.parse(body)).toMatchObject({
      protocol: 1,
      kernelVersion: '6.1.0',
      os: { id: 'debian', versionID: '12' },
    })
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(JSON.stringify(body))),
    })
  })

  test('a sysctl is read, set to run and to last, and read again', async () => {
    await using agent = await RunningAgent.start(pki, { files })
    const path = '/v1/sysctl?key=net.ipv4.ip_forward'
    expect(await agent.call({ path })).toMatchObject({ status: 200, body: { 'net.ipv4.ip_forward': '0' } })
    const { status, body } = await agent.post('sysctl', { 'net.ipv4.ip_forward': '1' })
    expect(status).toBe(200)
    expect(ChangeResult.parse(body)).toMatchObject({ changed: true, after: { 'net.ipv4.ip_forward': '1' } })
    expect(await readFile(join(agent.root, forward), 'utf8')).toBe('1\n')
    expect(await readFile(join(agent.root, '/etc/sysctl.d/99-zz-keelson.conf'), 'utf8')).toContain(
      'net.ipv4.ip_forward = 1\n',
    )
    expect(await agent.call({ path })).toMatchObject({ status: 200, body: { 'net.ipv4.ip_forward': '1' } })
  })

  test.each([
    '/',
    '',
    '/v1',
    '/v1/',
    '/v1/nope',
    '/v1/facts/',
    '/v1//facts',
    '//v1/facts',
    '/v1/./facts',
    '/v1/../v1/facts',
    '/v1/%66acts',
    '/V1/facts',
    '/v1/Facts',
    '/v1/facts#x',
    '/v1/__proto__',
    '/v1/constructor',
    'https://node1/v1/facts',
    '*',
  ])('nothing is at %j', async (path) => {
    await using agent = await RunningAgent.start(pki, { files })
    const { status, body } = await agent.call({ path })
    expect(status).toBe(404)
    expect(AgentError.parse(body).code).toBe('TypeUnknown')
  })

  test.each([
    ['PUT', '/v1/sysctl', 'GET, POST'],
    ['DELETE', '/v1/sysctl', 'GET, POST'],
    ['PATCH', '/v1/hostname', 'GET, POST'],
    ['OPTIONS', '/v1/systemdUnit', 'GET, POST'],
    ['HEAD', '/v1/sysctl', 'GET, POST'],
    ['POST', '/v1/facts', 'GET'],
  ])('%s %s is not allowed', async (method, path, allow) => {
    await using agent = await RunningAgent.start(pki, { files })
    expect(await agent.call({ method, path })).toMatchObject({ status: 405, headers: { allow } })
  })

  test.each([
    ['/v1/sysctl', 'ParameterMissing', 'key'],
    ['/v1/sysctl?key=', 'KeyRefused', 'key'],
    ['/v1/sysctl?key=net.ipv4.ip_forward&key=vm.swappiness', 'ParameterRepeated', 'key'],
    ['/v1/sysctl?key=net.ipv4.ip_forward&x=1', 'ParameterUnknown', 'x'],
    ['/v1/sysctl?key=net.ipv4.ip_forward&__proto__=1', 'ParameterUnknown', '__proto__'],
    ['/v1/sysctl?key=net%2F..%2F..%2Fetc%2Fhostname', 'KeyRefused', 'key'],
    ['/v1/sysctl?key=net.ipv4.nope', 'KeyUnknown', 'key'],
    ['/v1/facts?x=1', 'ParameterUnknown', 'x'],
    ['/v1/hostname?x', 'ParameterUnknown', 'x'],
  ])('GET %s: 422', async (path, code, field) => {
    await using agent = await RunningAgent.start(pki, { files })
    expect(await agent.call({ path })).toMatchObject({ status: 422, body: { code, field } })
  })

  test('a POST takes no query', async () => {
    await using agent = await RunningAgent.start(pki, { files })
    const answer = await agent.post('sysctl?x=1', { 'net.ipv4.ip_forward': '1' })
    expect(answer).toMatchObject({ status: 422, body: { code: 'ParameterUnknown', field: 'x' } })
    expect(await readFile(join(agent.root, forward), 'utf8')).toBe('0\n')
  })

  test('a state that stands against it: 409', async () => {
    await using agent = await RunningAgent.start(pki, { types: types(new Probe().type()) })
    expect(await agent.post('probe', { fail: 'state' })).toMatchObject({
      status: 409,
      body: { code: 'NotNow', message: 'not now', field: 'id' },
    })
  })

  test('what nobody foresaw: 500 without a word of it, and the log has it', async () => {
    await using agent = await RunningAgent.start(pki, { types: types(new Probe().type()) })
    const { status, body } = await agent.post('probe', { fail: 'unforeseen' })
    expect(status).toBe(500)
    expect(AgentError.parse(body).code).toBe('Internal')
    expect(JSON.stringify(body)).not.toMatch(/secret|at .*\.ts/)
    expect(agent.log).toContainEqual(
      expect.objectContaining({
        msg: 'request failed',
        err: expect.objectContaining({ message: 'secret inside' }) as object,
      }),
    )
  })
})

describe('bodies', () => {
  const json = { 'content-type': 'application/json' }

  test.each([
    ['none', '', 400, 'BodyNotJson', undefined],
    ['not JSON', '{"a":', 400, 'BodyNotJson', undefined],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x22, 0x22, 0x7d]), 400, 'BodyNotJson', undefined],
    ['an array', '["a"]', 400, 'BodyRefused', undefined],
    ['a string', '"a"', 400, 'BodyRefused', undefined],
    ['null', 'null', 400, 'BodyRefused', undefined],
    ['a number as value', '{"a":1}', 400, 'BodyRefused', 'a'],
    ['an object as value', '{"a":"x","b":{}}', 400, 'BodyRefused', 'b'],
    ['null as value', '{"a":null}', 400, 'BodyRefused', 'a'],
  ])('%s', async (_case, body, status, code, field) => {
    const probe = new Probe()
    await using agent = await RunningAgent.start(pki, { types: types(probe.type()) })
    const answer = await agent.call({ method: 'POST', path: '/v1/probe', headers: json, body })
    expect(answer.status).toBe(status)
    expect(AgentError.parse(answer.body)).toMatchObject({ code, ...(field === undefined ? {} : { field }) })
    expect(probe.acts).toEqual([])
  })

  test.each([
    ['none', {}],
    ['another', { 'content-type': 'text/plain' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['compressed', { ...json, 'content-encoding': 'gzip' }],
  ])('content type: %s', async (_case, headers) => {
    await using agent = await RunningAgent.start(pki, { types: types(new Probe().type()) })
    const answer = await agent.call({ method: 'POST', path: '/v1/probe', headers, body: '{"id":"1"}' })
    expect(answer).toMatchObject({ status: 415, body: { code: 'MediaTypeRefused' } })
  })

  test('content type with a charset', async () => {
    await using agent = await RunningAgent.start(pki, { types: types(new Probe().type()) })
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' }
    expect(await agent.call({ method: 'POST', path: '/v1/probe', headers, body: '{"id":"1"}' })).toMatchObject({
      status: 200,
    })
  })

  test.each([
    ['four bytes a character', '😀'.repeat(1024)],
    ['escaped, six bytes a character', '\u0001'.repeat(1024)],
  ])('64 parameters of full length: %s', async (_case, value) => {
    await using agent = await RunningAgent.start(pki, { types: types(new Probe().type()) })
    const body = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [String(index).padEnd(253, 'k'), value]))
    expect(await agent.post('probe', body)).toMatchObject({ status: 200 })
  })

  test.each([
    ['announced', { 'content-length': String(maxBodyBytes + 1) }],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
  ])('a byte too many, %s: 413', async (_case, headers) => {
    const probe = new Probe()
    await using agent = await RunningAgent.start(pki, { types: types(probe.type()) })
    const body = `{"id":"${'x'.repeat(maxBodyBytes - 9 + 1)}"}`
    expect(body).toHaveLength(maxBodyBytes + 1)
    const call = { method: 'POST', path: '/v1/probe', headers: { ...json, ...headers } }
    expect(await agent.call({ ...call, body })).toMatchObject({ status: 413, body: { code: 'BodyTooLarge' } })
    expect(probe.acts).toEqual([])
    expect(await agent.call({ ...call, headers: json, body: body.replace('xx', 'x') })).toMatchObject({ status: 200 })
  })

  test('an endless body is cut off', async () => {
    await using agent = await RunningAgent.start(pki, { types: types(new Probe().type()) })
    const socket = await agent.connect()
    socket.on('error', () => undefined)
    socket.resume()
    socket.write('POST /v1/probe HTTP/1.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n')
    const chunk = `80000\r\n${'x'.repeat(0x80000)}\r\n`
    let closed = false
    socket.once('close', () => (closed = true))
    await eventually('the agent breaks off', () => {
      if (!closed) socket.write(chunk)
      return closed
    })
    expect(closed).toBe(true)
  })
})

/** What the server says on a connection until it closes it. */
async function lastWords(socket: TLSSocket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => undefined)
  await once(socket, 'close')
  return Buffer.concat(chunks).toString()
}

describe('what is not a request', () => {
  test.each([
    ['no HTTP', 'hello\r\n\r\n', 400, 'RequestMalformed'],
    [
      'two lengths',
      'POST /v1/sysctl HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
      400,
      'RequestMalformed',
    ],
    [
      'a length and chunks',
      'POST /v1/sysctl HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
      400,
      'RequestMalformed',
    ],
    ['endless headers', `GET /v1/facts HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'HeadersTooLarge'],
    ['an endless target', `GET /v1/facts?${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`, 431, 'HeadersTooLarge'],
    ['another expectation', 'GET /v1/facts HTTP/1.1\r\nexpect: miracles\r\n\r\n', 417, 'ExpectationRefused'],
  ])('%s: answered in JSON, with its length, and closed', async (_case, bytes, status, code) => {
    await using agent = await RunningAgent.start(pki, { files })
    const socket = await agent.connect()
    socket.write(bytes)
    const [head = '', body = ''] = (await lastWords(socket)).split('\r\n\r\n')
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(head.toLowerCase()).toContain(`content-length: ${Buffer.byteLength(body)}`)
    expect(AgentError.parse(JSON.parse(body)).code).toBe(code)
  })

  test('CONNECT is closed', async () => {
    await using agent = await RunningAgent.start(pki, { files })
    const socket = await agent.connect()
    socket.write('CONNECT 10.0.0.1:22 HTTP/1.1\r\n\r\n')
    expect(await lastWords(socket)).toBe('')
  })

  test.each([
    ['a connection that says nothing', ''],
    ['headers that never end', 'GET /v1/facts HTTP/1.1\r\nx: 1\r\n'],
    [
      'a body that never ends',
      'POST /v1/probe HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
    ],
  ])('%s is told so and closed in time', async (_case, bytes) => {
    const probe = new Probe()
    const limits = { headersMs: 100, requestMs: 200, checkMs: 20 }
    await using agent = await RunningAgent.start(pki, { types: types(probe.type()), limits })
    const socket = await agent.connect()
    if (bytes !== '') socket.write(bytes)
    expect(await lastWords(socket)).toMatch(/^HTTP\/1.1 408 [^]*"RequestTimeout"/)
    expect(probe.acts).toEqual([])
  })

  test('an idle connection is closed in time', async () => {
    await using agent = await RunningAgent.start(pki, { files, limits: { idleMs: 50, checkMs: 20 } })
    const socket = await agent.connect()
    socket.write('GET /v1/facts HTTP/1.1\r\n\r\n')
    expect(await lastWords(socket)).toMatch(/^HTTP\/1.1 200 /)
  })

  test('a client that does not finish its handshake is dropped in time', async () => {
    await using agent = await RunningAgent.start(pki, { files, limits: { handshakeMs: 50 } })
    const socket = connectPlain(agent.port, '127.0.0.1')
    socket.resume()
    await once(socket, 'close')
    await eventually('refusal in the log', () => agent.log.some(({ reason }) => reason === 'ERR_TLS_HANDSHAKE_TIMEOUT'))
    expect(agent.log).toHaveLength(1)
  })
})

describe('many at once', () => {
  test('the 17th connection is refused, and there is room again when one goes', async () => {
    await using agent = await RunningAgent.start(pki, { files })
    const sockets = await Promise.all(Array.from({ length: 16 }, async () => agent.connect()))
    await expect(agent.call({ path: '/v1/facts' })).rejects.toThrow(/before secure TLS connection|ECONNRESET|hang up/)
    expect(agent.log).toContainEqual(expect.objectContaining({ msg: 'connection refused: too many', limit: 16 }))
    sockets[0]?.destroy()
    const answer = await eventually('room for another', async () => agent.call({ path: '/v1/facts' }))
    expect(answer.status).toBe(200)
    for (const socket of sockets) socket.destroy()
  })

  test('changes of one type go one at a time; reads and other types do not wait', async () => {
    const [probe, another] = [new Probe(), new Probe()]
    probe.held = true
    await using agent = await RunningAgent.start(pki, { types: types(probe.type(), another.type('another')) })
    const posts: Promise<unknown>[] = []
    for (const id of ['1', '2', '3', '4']) posts.push(agent.post('probe', { id }))
    await eventually('the first is in hand', () => probe.inHand === 1)
    expect(await agent.call({ path: '/v1/probe' })).toMatchObject({ status: 200, body: { acts: '1' } })
    expect(await agent.post('another', { id: 'x' })).toMatchObject({ status: 200 })
    for (let done = 1; done <= 4; done++) {
      await eventually('the next is in hand', () => probe.acts.length === done)
      probe.release()
    }
    expect(await Promise.all(posts)).toEqual(Array(4).fill(expect.objectContaining({ status: 200 })))
    expect(probe.mostInHand).toBe(1)
    expect(probe.acts.toSorted()).toEqual(['1', '2', '3', '4'])
  })

  test('a change whose client is gone while it waits is not made; one that has begun is', async () => {
    const probe = new Probe()
    probe.held = true
    await using agent = await RunningAgent.start(pki, { types: types(probe.type()) })
    const first = new AbortController()
    const begun = agent.post('probe', { id: 'begun' }, { signal: first.signal })
    await eventually('it has begun', () => probe.inHand === 1)
    const [waiting, after] = [await agent.connect(), await agent.connect()]
    // The read behind it on the same connection shows that the agent has taken the change in.
    waiting.write(`${postOf('{"id":"waiting"}')}GET /v1/probe HTTP/1.1\r\n\r\n`)
    await eventually('it waits', () => probe.reads === 2)
    after.write(postOf('{"id":"after"}'))
    waiting.destroy()
    first.abort()
    await expect(begun).rejects.toThrow('abort')
    await eventually('the agent has seen all go', () => agent.log.filter(({ status }) => status === 499).length === 3)
    probe.release()
    await eventually('the next has begun', () => probe.acts.length === 2)
    probe.release()
    await once(after, 'data')
    after.destroy()
    expect(probe.acts).toEqual(['begun', 'after'])
    expect(probe.inHand).toBe(0)
  })

  test('one connection serves many requests', async () => {
    await using agent = await RunningAgent.start(pki, { files })
    const keepAlive = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<number | undefined>()
    keepAlive.on('free', (socket: TLSSocket) => ports.add(socket.localPort))
    for (const path of ['/v1/facts', '/v1/nope', '/v1/facts']) await agent.call({ path, agent: keepAlive })
    const tooLong = { method: 'POST', path: '/v1/facts', body: '{}', agent: keepAlive }
    expect(await agent.call(tooLong)).toMatchObject({ status: 405 })
    expect(await agent.call({ path: '/v1/facts', agent: keepAlive })).toMatchObject({ status: 200 })
    expect(ports.size).toBe(1)
    keepAlive.destroy()
  })
})

describe('the end', () => {
  test('a request in hand is finished, and nothing new is taken', async () => {
    const probe = new Probe()
    probe.held = true
    await using agent = await RunningAgent.start(pki, { types: types(probe.type()) })
    const keepAlive = new Agent({ keepAlive: true })
    const post = agent.post('probe', { id: '1' }, { agent: keepAlive })
    const idle = await agent.connect()
    await eventually('it is in hand', () => probe.inHand === 1)
    const closed = agent.server.close(60_000)
    await once(idle.resume(), 'close')
    await expect(agent.call({ path: '/v1/probe' })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    probe.release()
    expect(await post).toMatchObject({ status: 200, headers: { connection: 'close' } })
    await closed
    keepAlive.destroy()
  })

  test('what is in hand is finished, even where its client has gone: the next agent knows how it ended', async () => {
    const probe = new Probe()
    probe.held = true
    await using agent = await RunningAgent.start(pki, { types: types(probe.type()) })
    const client = new AbortController()
    const post = agent.post('probe', { id: '1' }, { signal: client.signal })
    await eventually('it is in hand', () => probe.inHand === 1)
    client.abort()
    await expect(post).rejects.toThrow('abort')
    await eventually('the agent has seen it go', () => agent.log.some(({ status }) => status === 499))
    let over = false
    const closed = agent.server.close(60_000).then(() => (over = true))
    await expect(agent.call({ path: '/v1/probe' })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect([over, probe.inHand]).toEqual([false, 1])
    probe.release()
    await closed
    expect([probe.inHand, probe.stopped]).toEqual([0, []])
  })

  test('what is not done at the deadline is stopped and cut off', async () => {
    const probe = new Probe()
    probe.held = true
    await using agent = await RunningAgent.start(pki, { types: types(probe.type()) })
    const post = agent.post('probe', { id: '1' }).catch((error: unknown) => error)
    await eventually('it is in hand', () => probe.inHand === 1)
    await agent.server.close(50)
    expect(await post).toMatchObject({ code: 'ECONNRESET' })
    expect(probe.stopped).toEqual(['1'])
  })
})

test('the log has a line for each request, and nothing of what was in it', async () => {
  await using agent = await RunningAgent.start(pki, { files })
  await agent.post('sysctl', { 'net.ipv4.ip_forward': '7331' })
  await agent.call({ path: '/v1/sysctl?key=7331' })
  await agent.call({ path: '/v1/nope' })
  await eventually('all are logged', () => agent.log.length === 3)
  const line = (method: string, path: string, status: number) =>
    expect.objectContaining({
      msg: 'request',
      method,
      path,
      status,
      durationMs: expect.any(Number) as number,
    }) as object
  expect(agent.log).toEqual([
    line('POST', '/v1/sysctl', 200),
    line('GET', '/v1/sysctl', 422),
    line('GET', '/v1/nope', 404),
  ])
  expect(JSON.stringify(agent.log)).not.toContain('7331')
})
