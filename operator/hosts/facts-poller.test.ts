import { agentPort } from '@keelson/api'
import type { Node } from '@keelson/kube'
import { CertificateAuthority } from '@keelson/testbed'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { HostPools, type ClientCertificate } from '../delivery/host-pools.ts'
import { loopbackAddress } from '../testing/addresses.ts'
import { Receiver } from '../testing/receiver.ts'
import { HostAddresses } from './host-addresses.ts'
import { FactsPoller } from './facts-poller.ts'

const name = 'worker-1'
const facts = {
  ...{
    protocol: 1,
    agentVersion: '0.1.0',
    hostname: name,
    kernelVersion: '6.1.0',
    bootID: 'b',
    architecture: 'x86_64',
  },
  ...{ os: { id: 'debian', versionID: '12', name: 'Debian' }, types: { sysctl: 1 } },
}
const never = new AbortController().signal

let authority: CertificateAuthority
let client: ClientCertificate
let nodes: Map<string, Node>
let changed: string[]
let stack: AsyncDisposableStack

beforeAll(async () => {
  authority = await CertificateAuthority.create('agents')
  const pair = await authority.issue({ subject: 'CN=operator', usages: ['client'] })
  client = { ...pair, ca: authority.certificate }
})
beforeEach(() => {
  nodes = new Map([[name, nodeOf('True')]])
  changed = []
  stack = new AsyncDisposableStack()
})
afterEach(() => stack.disposeAsync())

function nodeOf(ready: 'True' | 'Unknown', address = loopbackAddress(1)): Node {
  const status = { addresses: [{ type: 'InternalIP', address }], conditions: [{ type: 'Ready', status: ready }] }
  return { metadata: { name }, status }
}

function newPoller(random = 0.5, allowLoopback = true): FactsPoller {
  return new FactsPoller({
    nodes: { size: nodes.size, get: (key) => nodes.get(key), list: () => [...nodes.values()] },
    ...{
      refuseAddress: new HostAddresses(allowLoopback, () => ({ apiServers: new Set(), serviceRanges: [] })).refuse,
      intervalMs: 1_000,
      random: () => random,
    },
    pools: stack.use(new HostPools(() => client)),
    changed: (of) => void changed.push(of),
  })
}

async function agent(body: string = JSON.stringify(facts), statusCode = 200): Promise<Receiver> {
  const pair = await authority.issue({ subject: `CN=${name}`, dnsNames: [name], usages: ['server'] })
  return stack.use(
    await Receiver.start({
      ...{ address: loopbackAddress(1), port: agentPort, tls: { cert: pair.certificate, key: pair.key } },
      answer: (response) => response.writeHead(statusCode).end(body),
    }),
  )
}

test('remembers what the agent answers and tells of it once, and again when it is another', async () => {
  const host = await agent()
  const poller = newPoller()
  for (let times = 0; times < 3; times++) await poller.reconcile(name, never)
  expect(poller.answer(name)).toEqual({ facts })
  expect(changed).toEqual([name])
  host.answer = (response) => response.end(JSON.stringify({ ...facts, bootID: 'c' }))
  await poller.reconcile(name, never)
  expect(poller.answer(name)).toMatchObject({ facts: { bootID: 'c' } })
  expect(changed).toEqual([name, name])
  expect(host.received.length).toBe(4)
  expect(host.received[0]).toMatchObject({ method: 'GET', url: '/v1/facts' })
})

test('asks again after about its interval, spread over a fifth of it', async () => {
  await agent()
  const after = await Promise.all([0, 0.5, 1].map((random) => newPoller(random).reconcile(name, never)))
  expect(after).toEqual([900, 1_000, 1_100].map((requeueAfterMs) => ({ requeueAfterMs })))
})

test('a Node that is not Ready, or gone, is not asked, and what was said before is forgotten', async () => {
  const host = await agent()
  const poller = newPoller()
  for (const away of [nodeOf('Unknown'), undefined]) {
    nodes.set(name, nodeOf('True'))
    await poller.reconcile(name, never)
    if (away === undefined) nodes.delete(name)
    else nodes.set(name, away)
    expect(await poller.reconcile(name, never)).toBeUndefined()
    expect(poller.answer(name)).toBeUndefined()
  }
  expect(host.received.length).toBe(2)
})

describe('what is no answer', () => {
  const unsupported = { reason: 'AgentUnsupported' }
  const types = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`type${index}`, 1]))

  test.each([
    ['no JSON', 'hello', 200, unsupported],
    ['another protocol', JSON.stringify({ ...facts, protocol: 2 }), 200, unsupported],
    ['more types than a Host can hold', JSON.stringify({ ...facts, types }), 200, unsupported],
    ['a refusal', '{}', 403, { reason: 'AgentRefused', message: 'the agent answered HTTP 403' }],
    ['too much', ' '.repeat(100_000), 200, { reason: 'AgentUnreachable' }],
  ])('%s', async (_, body, statusCode, answer) => {
    await agent(body, statusCode)
    const poller = newPoller()
    await poller.reconcile(name, never)
    expect(poller.answer(name)).toMatchObject(answer)
  })

  test('nothing', async () => {
    const poller = newPoller()
    await poller.reconcile(name, never)
    expect(poller.answer(name)).toEqual({
      reason: 'AgentUnreachable',
      message: 'the agent does not answer: connection refused: nothing listens on the port',
    })
  })

  test('an address that no host can have is not asked', async () => {
    const host = await agent()
    const poller = newPoller(0.5, false)
    await poller.reconcile(name, never)
    expect(poller.answer(name)).toMatchObject({ reason: 'AddressRefused' })
    expect(host.accepted).toBe(0)
  })
})

test('an abort ends the asking', async () => {
  const host = await agent()
  const stop = new AbortController()
  const reason = new Error('stopped')
  host.answer = () => stop.abort(reason)
  await expect(newPoller().reconcile(name, stop.signal)).rejects.toBe(reason)
})
