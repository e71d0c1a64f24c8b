import type { ServerOptions } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { agentPort } from '@keelson/api'
import { CertificateAuthority, eventually } from '@keelson/testbed'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { loopbackAddress } from '../testing/addresses.ts'
import { Receiver, type Answer, type ReceiverOptions } from '../testing/receiver.ts'
import { Deadline } from './deadline.ts'
import { HostPools, type ClientCertificate, type Endpoint, type PoolLimits, type Use } from './host-pools.ts'

let client: ClientCertificate
let authority: CertificateAuthority
let stack: AsyncDisposableStack

beforeAll(async () => {
  authority = await CertificateAuthority.create('agents')
  const pair = await authority.issue({ subject: 'CN=operator', usages: ['client'] })
  client = { ...pair, ca: authority.certificate }
})

beforeEach(() => {
  stack = new AsyncDisposableStack()
})

afterEach(() => stack.disposeAsync())

const agentAddress = loopbackAddress(2)
const newPools = (limits: Partial<PoolLimits> = {}) => stack.use(new HostPools(() => client, limits))
const receiver = async (options: ReceiverOptions = {}) => stack.use(await Receiver.start(options))
const endpointOf = ({ port }: Receiver, host = 'worker-1', scheme: 'http' | 'https' = 'http'): Endpoint => ({
  ...{ host, address: '127.0.0.1', port, scheme },
})

const never = new AbortController().signal

async function get(pools: HostPools, endpoint: Endpoint, use: Use = 'Kept'): Promise<number> {
  using deadline = new Deadline(30_000, never)
  using lease = await pools.lease(endpoint, use, deadline)
  const { statusCode, body } = await lease.connection.client.request({ path: '/', method: 'GET' })
  await body.dump()
  return statusCode
}

async function serverTls(names = ['worker-1'], by = authority): Promise<ServerOptions> {
  const { certificate, key } = await by.issue({ subject: 'CN=x', dnsNames: names, usages: ['server'] })
  return { cert: certificate, key, ca: authority.certificate, requestCert: true, minVersion: 'TLSv1.3' }
}

/** A receiver on the agent's port, and for each of its connections whether it was resumed, and by which client. */
async function agent(options: ServerOptions, answer?: Answer) {
  const connections: { readonly resumed: boolean; readonly client: string | undefined }[] = []
  const seen = new WeakSet<TLSSocket>()
  const host = await receiver({
    ...{ address: agentAddress, port: agentPort, tls: options },
    answer: (response, received) => {
      const socket = response.socket as TLSSocket
      if (!seen.has(socket))
        connections.push({ resumed: socket.isSessionReused(), client: socket.getPeerX509Certificate()?.subject })
      seen.add(socket)
      if (answer === undefined) response.end()
      else answer(response, received)
    },
  })
  return { host, connections, endpoint: { ...endpointOf(host, 'worker-1', 'https'), address: agentAddress } }
}

test('requests to one host share a connection, those to another have their own', async () => {
  const pools = newPools()
  const [one, other] = [await receiver(), await receiver()]
  for (let index = 0; index < 5; index++) {
    await get(pools, endpointOf(one))
    // The connection is free when its last event is over.
    await new Promise((resolve) => setImmediate(resolve))
  }
  await get(pools, endpointOf(other))
  expect([one.accepted, one.received.length, other.accepted]).toEqual([1, 5, 1])
})

test('two Hosts with one address share nothing: the certificate was verified for one name only', async () => {
  const pair = await authority.issue({ subject: 'CN=x', dnsNames: ['worker-1', 'worker-2'], usages: ['server'] })
  const host = await receiver({ tls: { cert: pair.certificate, key: pair.key } })
  const pools = newPools()
  for (const name of ['worker-1', 'worker-2', 'worker-1']) await get(pools, endpointOf(host, name, 'https'))
  expect(host.accepted).toBe(2)
  await expect(get(pools, endpointOf(host, 'worker-3', 'https'))).rejects.toMatchObject({ code: 'TLSFailed' })
})

test('at most four connections to one host, whatever is asked of it', async () => {
  const pools = newPools()
  const waiting: (() => void)[] = []
  const host = await receiver({ answer: (response) => void waiting.push(() => response.end()) })
  const all = Array.from({ length: 20 }, () => get(pools, endpointOf(host)))
  for (let answered = 0; answered < 20; answered++) {
    await eventually('a request is there', () => waiting.length > 0)
    waiting.shift()!()
  }
  await Promise.all(all)
  expect(host.accepted).toBe(4)
})

test('what is forgotten ends well, and the next request makes its own connection', async () => {
  const pools = newPools()
  const { promise: release, resolve } = Promise.withResolvers<void>()
  const host = await receiver({ answer: (response) => void release.then(() => response.end()) })
  const first = get(pools, endpointOf(host))
  await eventually('the request is there', () => host.received.length === 1)
  pools.forget(endpointOf(host))
  const second = get(pools, endpointOf(host))
  await eventually('the second request is there', () => host.received.length === 2)
  resolve()
  expect(await Promise.all([first, second])).toEqual([200, 200])
  expect(host.accepted).toBe(2)
  await eventually('the first connection is closed', () => host.open.size === 1)
  pools.forget({ ...endpointOf(host), host: 'nobody' })
})

test('over the limit the connection that was idle for longest is closed', async () => {
  const pools = newPools({ idle: 2 })
  const [a, b, c] = [await receiver(), await receiver(), await receiver()]
  for (const host of [a, b, a, c]) await get(pools, endpointOf(host))
  expect(pools.size.idle).toBe(2)
  await eventually('b is closed', () => b.open.size === 0)
  for (const host of [a, c]) await get(pools, endpointOf(host))
  expect([a, b, c].map(({ accepted }) => accepted)).toEqual([1, 1, 1])
  await get(pools, endpointOf(b))
  expect(b.accepted).toBe(2)
})

test('what a run leaves idle is closed after a while but for a few; what only looks by takes no room from them', async () => {
  const pools = newPools({ lastingIdle: 2, burstIdleMs: 40 })
  const all = await Promise.all(Array.from({ length: 4 }, () => receiver()))
  for (const host of all) await get(pools, endpointOf(host))
  expect(pools.size.idle).toBe(4)
  await eventually('two are closed', () => pools.size.connections === 2)
  await eventually('those that were idle for longest', () => all.map(({ open }) => open.size).join('') === '0011')
  await get(pools, endpointOf(all[0]!), 'Spare')
  expect(all[0]!.accepted).toBe(2)
  await eventually('it is closed at once', () => all[0]!.open.size === 0)
  await get(pools, endpointOf(all[3]!), 'Spare')
  expect(all[3]!.accepted).toBe(1)
})

test('a host whose connections are gone holds no memory', async () => {
  const pools = newPools()
  const host = await receiver()
  await get(pools, endpointOf(host))
  expect(pools.size).toMatchObject({ connections: 1, idle: 1 })
  for (const socket of host.open) socket.destroy()
  await eventually('it is forgotten', () => pools.size.connections === 0 && pools.size.idle === 0)
  expect(await get(pools, endpointOf(host))).toBe(200)
})

test("a fresh connection is nobody else's, before and after, and is closed after its request", async () => {
  const pools = newPools()
  const host = await receiver()
  await get(pools, endpointOf(host))
  for (const accepted of [2, 3]) {
    await get(pools, endpointOf(host), 'Fresh')
    expect(host.accepted).toBe(accepted)
  }
  await eventually('only the one that is kept is open', () => host.open.size === 1)
  await get(pools, endpointOf(host))
  expect(host.accepted).toBe(3)
})

describe('TLS sessions', () => {
  test('are resumed by the next connection to the same host, fresh ones too', async () => {
    const { connections, endpoint } = await agent(await serverTls())
    const pools = newPools()
    for (const use of ['Fresh', 'Fresh', 'Kept'] as const) await get(pools, endpoint, use)
    expect(connections.map(({ resumed }) => resumed)).toEqual([false, true, true])
    // The receiver still knows who is there: a resumed session is no way round its judgement.
    expect(connections[2]?.client).toBe('CN=operator')
    expect(pools.size.sessions).toBe(1)
  })

  test('are of one Host: another one at the same address begins anew and is judged by its own name', async () => {
    const { connections, endpoint } = await agent(await serverTls(['worker-1', 'worker-2']))
    const pools = newPools()
    for (const host of ['worker-1', 'worker-2', 'worker-1', 'worker-2'])
      await get(pools, { ...endpoint, host }, 'Fresh')
    expect(connections.map(({ resumed }) => resumed)).toEqual([false, false, true, true])
    await expect(get(pools, { ...endpoint, host: 'worker-3' }, 'Fresh')).rejects.toMatchObject({ code: 'TLSFailed' })
  })

  test('are forgotten when our certificate changed, and open connections with them', async () => {
    const later = await authority.issue({ subject: 'CN=later', usages: ['client'] })
    const { connections, endpoint } = await agent(await serverTls())
    let identity = client
    const pools = stack.use(new HostPools(() => identity))
    await get(pools, endpoint)
    await get(pools, endpoint)
    await get(pools, endpoint, 'Fresh')
    expect(connections.map(({ resumed }) => resumed)).toEqual([false, true])
    identity = { ...later, ca: authority.certificate }
    await get(pools, endpoint)
    expect(connections[2]).toEqual({ resumed: false, client: 'CN=later' })
  })

  test('are forgotten when the roots changed: a host of a root that is gone is refused', async () => {
    const other = await CertificateAuthority.create('others')
    const { connections, endpoint } = await agent(await serverTls())
    let identity = client
    const pools = stack.use(new HostPools(() => identity))
    await get(pools, endpoint)
    identity = { ...client, ca: other.certificate }
    for (const use of ['Kept', 'Fresh'] as const)
      await expect(get(pools, endpoint, use)).rejects.toMatchObject({ code: 'TLSFailed' })
    expect(connections.length).toBe(1)
  })

  test('end with the certificate of the host', async () => {
    const notAfter = new Date(Date.now() + 1_000 * 60)
    const pair = await authority.issue({ subject: 'CN=x', dnsNames: ['worker-1'], usages: ['server'], notAfter })
    const { connections, endpoint } = await agent({ cert: pair.certificate, key: pair.key, ca: authority.certificate })
    const pools = newPools()
    vi.useFakeTimers({ toFake: ['Date'] })
    stack.defer(() => void vi.useRealTimers())
    for (const offsetMs of [0, 1_000, 61_000]) {
      vi.setSystemTime(Date.now() + offsetMs)
      await get(pools, endpoint, 'Fresh')
    }
    // OpenSSL's own clock cannot be set from here, so the whole handshake succeeds; what matters is that there is one.
    expect(connections.map(({ resumed }) => resumed)).toEqual([false, true, false])
  })

  test('are dropped when a request goes wrong', async () => {
    const { connections, endpoint } = await agent(await serverTls())
    const pools = newPools()
    await get(pools, endpoint, 'Fresh')
    pools.forget(endpoint)
    await get(pools, endpoint, 'Fresh')
    expect(connections.map(({ resumed }) => resumed)).toEqual([false, false])
  })

  test('are not more than a limit, the latest ones', async () => {
    const { connections, endpoint } = await agent(await serverTls(['a', 'b', 'c']))
    const pools = newPools({ sessions: 2 })
    for (const host of ['a', 'b', 'c', 'c', 'b', 'a']) await get(pools, { ...endpoint, host }, 'Fresh')
    expect(connections.map(({ resumed }) => resumed)).toEqual([false, false, false, true, true, false])
    expect(pools.size.sessions).toBe(2)
  })
})

test('a certificate without a DNS name is refused, whatever its subject says', async () => {
  const pair = await authority.issue({ subject: 'CN=worker-1', usages: ['server'] })
  const host = await receiver({ tls: { cert: pair.certificate, key: pair.key } })
  await expect(get(newPools(), endpointOf(host, 'worker-1', 'https'))).rejects.toMatchObject({
    code: 'TLSFailed',
    message: 'TLS: the certificate is for no name, not for DNS:worker-1',
  })
})

test("off the agent's port our certificate is not shown", async () => {
  const shown: (string | undefined)[] = []
  const host = await receiver({
    tls: { ...(await serverTls()), rejectUnauthorized: false },
    answer: (response) => {
      shown.push((response.socket as TLSSocket).getPeerX509Certificate()?.subject)
      response.end()
    },
  })
  expect(await get(newPools(), endpointOf(host, 'worker-1', 'https'))).toBe(200)
  expect(shown).toEqual([undefined])
})

test('the end closes everything, what is in flight and what is forgotten too', async () => {
  const pools = new HostPools(() => client)
  const host = await receiver({ answer: () => undefined })
  const end = async (use?: Use) => {
    const before = host.received.length
    const ending = get(pools, endpointOf(host), use).catch((error: Error) => error.message)
    await eventually('the request is there', () => host.received.length > before)
    return { ending }
  }
  const ends = [await end()]
  pools.forget(endpointOf(host))
  ends.push(await end(), await end('Fresh'))
  await pools[Symbol.asyncDispose]()
  expect(await Promise.all(ends.map(({ ending }) => ending))).toEqual(
    Array.from({ length: 3 }, () => 'the operator ends'),
  )
  await eventually('nothing is open', () => host.open.size === 0)
})

test('an IPv6 address is one', async () => {
  const pools = newPools()
  const host = await receiver({ address: '::1' })
  expect(await get(pools, { ...endpointOf(host), address: '::1' })).toBe(200)
})

describe('the certificate of a host is of one Node', () => {
  const bound = async (uid: string): Promise<ServerOptions> => {
    const subject = `CN=worker-1,2.5.4.5=${uid}`
    const pair = await authority.issue({ subject, dnsNames: ['worker-1'], usages: ['server'] })
    return {
      cert: pair.certificate,
      key: pair.key,
      ca: authority.certificate,
      requestCert: true,
      minVersion: 'TLSv1.3',
    }
  }

  test('neither a new connection nor a kept one nor a session outlives the Node', async () => {
    let uid: string | undefined = 'uid-1'
    const pools = stack.use(
      new HostPools(
        () => client,
        {},
        () => uid,
      ),
    )
    const { endpoint, connections } = await agent(await bound('uid-1'))
    for (let times = 0; times < 2; times++) expect(await get(pools, endpoint)).toBe(200)
    expect(connections).toHaveLength(1)
    for (uid of ['uid-2', undefined])
      for (const use of ['Kept', 'Spare', 'Fresh'] as const)
        await expect(get(pools, endpoint, use)).rejects.toMatchObject({
          ...{ code: 'CertificateRevoked', message: expect.stringContaining('another Node') as string },
        })
    expect(connections).toHaveLength(1)
    uid = 'uid-1'
    expect(await get(pools, endpoint)).toBe(200)
  })

  test('one that is bound to none is of any', async () => {
    const pools = stack.use(
      new HostPools(
        () => client,
        {},
        () => 'uid-1',
      ),
    )
    const { endpoint } = await agent(await serverTls())
    expect(await get(pools, endpoint)).toBe(200)
  })
})
