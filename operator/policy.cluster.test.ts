import type { HostRequest } from '@keelson/api'
import { KubeClient } from '@keelson/kube'
import { CertificateAuthority, eventually } from '@keelson/testbed'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { policyBindingKind, policyKind, wantedPolicies } from './authorisation/request-policies.ts'
import { hostRequestKind } from './kinds.ts'
import { runTerm } from './term.ts'
import { loopbackAddress } from './testing/addresses.ts'
import { Receiver } from './testing/receiver.ts'
import { namespace, numbered, TestCluster } from './testing/test-cluster.fixture.ts'
import { TestLeadership } from './testing/test-leadership.ts'

const name = 'hostrequest-targets.keelson.dev'
const nodes = numbered(6, 'node')
const fixtures = new AsyncDisposableStack()
let cluster: TestCluster
let receiver: Receiver
let client: KubeClient
let tls: { ca: string; certificate: string; key: string }
let epoch = 0
let operator: { leadership: TestLeadership; term: Promise<unknown> }

beforeAll(async () => {
  cluster = fixtures.use(await TestCluster.start())
  receiver = fixtures.use(await Receiver.start({ address: loopbackAddress(1) }))
  client = fixtures.use(await KubeClient.fromKubeconfig(cluster.kubeconfig, { fieldManager: 'keelson-operator' }))
  cluster.defaults = { workers: nodes, parallelism: 1, http: { port: receiver.port } }
  for (const node of nodes) await cluster.register(node, { address: loopbackAddress(1) })
  const authority = await CertificateAuthority.create('agents')
  const pair = await authority.issue({ subject: 'CN=operator', dnsNames: ['request.keelson.dev'], usages: ['client'] })
  tls = { ...pair, ca: authority.certificate }
})

afterAll(async () => fixtures.disposeAsync())

async function start(): Promise<void> {
  const leadership = new TestLeadership(epoch++)
  const options = { client, tls, logger: pino({ enabled: false }), allowLoopback: true, factsIntervalMs: 500 }
  operator = { leadership, term: runTerm(options, leadership) }
  await cluster.online()
}

async function stop(): Promise<void> {
  operator.leadership.lose()
  await operator.term
}

beforeEach(async () => {
  receiver.received.length = 0
  receiver.answer = (response) => response.end()
  await start()
})

afterEach(async () => {
  await stop()
  await cluster.install()
})

const stalled = ({ status }: HostRequest) => status?.conditions.find(({ type }) => type === 'Stalled')
const requestsOn = (path: string) => receiver.received.filter(({ url }) => url === path).length

/** Refused for good: also a good while later, when a request that was asked about has been through, nothing of it was sent. */
async function refusedForGood(request: string, generation = 1): Promise<void> {
  const status = await cluster.finished(request, generation)
  expect(status).toMatchObject({ state: 'ERROR', msg: expect.stringContaining('nothing was sent') })
  expect(stalled(await cluster.requestNamed(request))).toMatchObject({ status: 'True', reason: 'PolicyMissing' })
  await cluster.install()
  expect(await cluster.send({ http: { api: '/allowed' } })).toMatchObject({ state: 'SUCCESS' })
  expect((await cluster.requestNamed(request)).status).toEqual(status)
  expect(requestsOn('/refused')).toBe(0)
}

describe('a request that was written without the policy is never sent by itself', () => {
  test.each(wantedPolicies.map(({ of, name: wanted }) => [of.kind, wanted, of] as const))(
    'the %s %s is missing: it is refused, and says what to apply',
    async (_, wanted, kind) => {
      await cluster.admin.delete(kind, { name: wanted })
      const request = cluster.newName()
      await cluster.applyAtOnce(request, { http: { api: '/refused' } })
      expect((await cluster.finished(request)).msg).toBe(
        `the ${kind.kind} ${wanted} is missing; install the chart of this release again; nothing was sent`,
      )
      await refusedForGood(request)
      await cluster.apply(request, { http: { api: '/again' }, runToken: 'again' })
      expect(await cluster.finished(request, 2)).toMatchObject({ state: 'SUCCESS' })
    },
  )

  test('the binding only audits', async () => {
    await cluster.admin.patch(policyBindingKind, { name }, { spec: { validationActions: ['Audit'] } })
    const request = cluster.newName()
    await cluster.applyAtOnce(request, { http: { api: '/refused' } })
    expect((await cluster.finished(request)).msg).toContain('is not that of this release')
    await refusedForGood(request)
  })

  test('policy and binding were gone and came back while no operator was at work, and it was made in between', async () => {
    await stop()
    await cluster.admin.delete(policyKind, { name })
    await cluster.admin.delete(policyBindingKind, { name })
    const request = cluster.newName()
    await cluster.applyAtOnce(request, { http: { api: '/refused' } })
    await cluster.install()
    await start()
    expect((await cluster.finished(request)).msg).toContain('written before the policy')
    await refusedForGood(request)
  })

  test('or weakened, and an older one was changed in between', async () => {
    const request = cluster.newName()
    await cluster.apply(request, { http: { api: '/before' } })
    expect(await cluster.finished(request)).toMatchObject({ state: 'SUCCESS' })
    await stop()
    await cluster.admin.patch(policyKind, { name }, { spec: { failurePolicy: 'Ignore' } })
    await cluster.applyAtOnce(request, { http: { api: '/refused' } })
    await cluster.install()
    await start()
    await refusedForGood(request, 2)
  })
})

test('a run under way is held up while the policy is gone, and goes on by itself when it is back', async () => {
  const request = cluster.newName()
  const held: (() => void)[] = []
  receiver.answer = (response) => {
    if (receiver.received.length === 2) held.push(() => response.end())
    else response.end()
  }
  await cluster.apply(request)
  await eventually('the second host has it', () => held.length === 1)
  await cluster.admin.delete(policyBindingKind, { name })
  const fresh = cluster.newName()
  await cluster.applyAtOnce(fresh, { http: { api: '/refused' } })
  await cluster.finished(fresh)
  // The answer under way is waited for, and no other host is sent to.
  held[0]!()
  const waiting = await eventually('it is held up', async () => {
    const found = await cluster.requestNamed(request)
    return stalled(found)?.status === 'True' && found
  })
  expect(waiting.status).toMatchObject({
    ...{ state: 'PAUSED', succeeded: '0-1', unknown: '', run: { claim: '' } },
    msg: `the ValidatingAdmissionPolicyBinding ${name} is missing; install the chart of this release again, and the run goes on by itself; 2/6 hosts answered`,
  })
  expect(stalled(waiting)).toMatchObject({ reason: 'PolicyMissing' })
  expect(receiver.received.length).toBe(2)

  await cluster.install()
  expect(await cluster.finished(request)).toMatchObject({ state: 'SUCCESS', progress: '6/6' })
  expect(stalled(await cluster.requestNamed(request))).toMatchObject({ status: 'False' })
  expect(requestsOn('/')).toBe(6)
  expect(requestsOn('/refused')).toBe(0)
  await cluster.admin.delete(hostRequestKind, { name: request, namespace })
})
