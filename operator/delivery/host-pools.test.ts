import type { TLSSocket } from 'node:tls'
import { CertificateAuthority, eventually } from '@keelson/testbed'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { Receiver, type ReceiverOptions } from '../testing/receiver.ts'
import { HostPools, type ClientCertificate, type Endpoint } from './host-pools.ts'

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

const newPools = (limit?: number) => stack.use(new HostPools(() => client, limit))
const receiver = async (options: ReceiverOptions = {}) => stack.use(await Receiver.start(options))
const endpointOf = ({ port }: Receiver, host = 'worker-1', scheme: 'http' | 'https' = 'http'): Endpoint => ({
  ...{ host, address: '127.0.0.1', port, scheme },
})

async function get(pools: HostPools, endpoint: Endpoint): Promise<number> {
  const { statusCode, body } = await pools.kept(endpoint).request({ path: '/', method: 'GET' })
  await body.dump()
  return statusCode
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
  await expect(get(pools, endpointOf(host, 'worker-3', 'https'))).rejects.toMatchObject({
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  })
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
  expect(pools.size).toBe(0)
  const second = get(pools, endpointOf(host))
  await eventually('the second request is there', () => host.received.length === 2)
  resolve()
  expect(await Promise.all([first, second])).toEqual([200, 200])
  expect(host.accepted).toBe(2)
  await eventually('the first connection is closed', () => host.open.size === 1)
  pools.forget({ ...endpointOf(host), host: 'nobody' })
})

test('over the limit the host that was not used for longest is forgotten', async () => {
  const pools = newPools(2)
  const [a, b, c] = [await receiver(), await receiver(), await receiver()]
  for (const host of [a, b, a, c]) await get(pools, endpointOf(host))
  expect(pools.size).toBe(2)
  await eventually('b is closed', () => b.open.size === 0)
  for (const host of [a, c]) await get(pools, endpointOf(host))
  expect([a, b, c].map(({ accepted }) => accepted)).toEqual([1, 1, 1])
  await get(pools, endpointOf(b))
  expect(b.accepted).toBe(2)
})

test('a host whose connections are gone holds no memory', async () => {
  const pools = newPools()
  const host = await receiver()
  await get(pools, endpointOf(host))
  expect(pools.size).toBe(1)
  for (const socket of host.open) socket.destroy()
  await eventually('it is forgotten', () => pools.size === 0)
  expect(await get(pools, endpointOf(host))).toBe(200)
})

test("a fresh connection is nobody else's, before and after, and is closed after its request", async () => {
  const pools = newPools()
  const host = await receiver()
  await get(pools, endpointOf(host))
  for (const accepted of [2, 3]) {
    using fresh = pools.fresh(endpointOf(host))
    const { body } = await fresh.dispatcher.request({ path: '/', method: 'POST' })
    await body.dump()
    expect(host.accepted).toBe(accepted)
  }
  await eventually('only the one that is kept is open', () => host.open.size === 1)
  await get(pools, endpointOf(host))
  expect(host.accepted).toBe(3)
})

test('a certificate that is made anew is shown from the next connection on', async () => {
  const issued = await authority.issue({ subject: 'CN=later', usages: ['client'] })
  const pair = await authority.issue({ subject: 'CN=x', dnsNames: ['worker-1'], usages: ['server'] })
  const seen: (string | undefined)[] = []
  const host = await receiver({
    tls: { cert: pair.certificate, key: pair.key, ca: authority.certificate, requestCert: true },
    answer: (response) => {
      seen.push((response.socket as TLSSocket).getPeerX509Certificate()?.subject)
      response.end()
    },
  })
  let identity = client
  const pools = stack.use(new HostPools(() => identity))
  const endpoint = endpointOf(host, 'worker-1', 'https')
  await get(pools, endpoint)
  identity = { ...issued, ca: authority.certificate }
  // Two at once take a second connection, while the pool holds the first.
  await Promise.all([get(pools, endpoint), get(pools, endpoint)])
  expect(seen[0]).toBe('CN=operator')
  expect(seen.slice(1)).toContain('CN=later')
})

test('the end closes everything, what is in flight and what is forgotten too', async () => {
  const pools = new HostPools(() => client)
  const host = await receiver({ answer: () => undefined })
  const ends = [1, 2].map(async () => {
    const end = get(pools, endpointOf(host)).catch((error: Error) => error.name)
    await eventually('the request is there', () => host.received.length > 0)
    pools.forget(endpointOf(host))
    return end
  })
  const last = get(pools, endpointOf(host)).catch((error: Error) => error.name)
  using lease = pools.fresh(endpointOf(host))
  const fresh = lease.dispatcher.request({ path: '/', method: 'POST' }).catch((error: Error) => error.name)
  await eventually('all are there', () => host.received.length === 4)
  await pools[Symbol.asyncDispose]()
  expect(await Promise.all([...ends, last, fresh])).toEqual(Array.from({ length: 4 }, () => 'ClientDestroyedError'))
  await eventually('nothing is open', () => host.open.size === 0)
})

test('an IPv6 address is one', async () => {
  const pools = newPools()
  const host = await receiver({ address: '::1' })
  expect(await get(pools, { ...endpointOf(host), address: '::1' })).toBe(200)
})
