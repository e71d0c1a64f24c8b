import { defineKind, KubeClient } from '@keelson/kube'
import { CertificateAuthority } from '@keelson/testbed'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runTerm } from '../term.ts'
import { loopbackAddress } from '../testing/addresses.ts'
import { Receiver } from '../testing/receiver.ts'
import { TestCluster } from '../testing/test-cluster.fixture.ts'
import { TestLeadership } from '../testing/test-leadership.ts'
import { ClusterAddressesPoller } from './cluster-addresses.ts'

const fixtures = new AsyncDisposableStack()
const logger = pino({ enabled: false })
let cluster: TestCluster
let client: KubeClient
let receiver: Receiver
const apiServer = '203.0.113.1'
const endpointSliceKind = defineKind({
  ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', plural: 'endpointslices', namespaced: true },
})
const endpointSlice = { addressType: 'IPv4', endpoints: [{ addresses: [apiServer] }], ports: [{ port: 6443 }] }

beforeAll(async () => {
  cluster = fixtures.use(await TestCluster.start())
  // By the operator's own rights.
  client = fixtures.use(await KubeClient.fromKubeconfig(cluster.kubeconfig, { fieldManager: 'keelson-operator' }))
  receiver = fixtures.use(await Receiver.start({ address: loopbackAddress(1) }))
  // That of a test bed listens on a loopback address, and tells nobody of it.
  const slice = { ...endpointSlice, metadata: { namespace: 'default', name: 'kubernetes' } }
  await cluster.admin.create(endpointSliceKind, slice)
}, 60_000)

afterAll(async () => fixtures.disposeAsync())

test('the cluster tells of its API servers and of the range of its Services', async () => {
  const poller = new ClusterAddressesPoller({ client, serviceRanges: ['192.0.2.0/24'], logger })
  const stop = new AbortController()
  const running = poller.run(stop.signal)
  await poller.synced()
  expect([...poller.present.apiServers]).toEqual([apiServer])
  expect(poller.present.serviceRanges).toEqual(['10.96.0.0/16', '10.96.0.1/32', '192.0.2.0/24'])
  stop.abort()
  await running
})

test('Nodes that claim what is not theirs are not sent to, and it is said why', async () => {
  const { certificate, ca, key } = await certificateOf()
  const leadership = new TestLeadership(1)
  const options = { client, logger, tls: { certificate, ca, key }, allowLoopback: true, factsIntervalMs: 60_000 }
  const sketches = {
    honest: { address: loopbackAddress(1) },
    'api-server': { address: apiServer },
    'control-plane': { address: apiServer, labels: { 'node-role.kubernetes.io/control-plane': '' } },
    metadata: { address: '169.254.169.254' },
    service: { address: '10.96.0.1' },
    'twin-1': { address: '203.0.113.7' },
    'twin-2': { address: '203.0.113.7' },
  }
  for (const [name, sketch] of Object.entries(sketches))
    if (name !== 'control-plane') await cluster.register(name, sketch)
  const term = runTerm(options, leadership)
  await cluster.online()
  const workers = Object.keys(sketches).filter((name) => name !== 'control-plane')
  const status = await cluster.send({ workers, http: { port: receiver.port } })
  const own = "so no host's own"
  expect(status.failures.map(({ host, reason, message }) => [host, reason, message])).toEqual(
    [
      [
        'api-server',
        `the address ${apiServer} is refused: it is an API server's, and the Host has not the control-plane role`,
      ],
      ['metadata', `the address 169.254.169.254 is refused: it is link-local, ${own}`],
      ['service', `the address 10.96.0.1 is refused: it is in the range of the cluster's Services, ${own}`],
      ['twin-1', 'the address 203.0.113.7 is refused: the Host twin-2 has it too'],
      ['twin-2', 'the address 203.0.113.7 is refused: the Host twin-1 has it too'],
    ].map(([host, message]) => [host, 'AddressRefused', message]),
  )
  expect(status.counts).toMatchObject({ succeeded: 1, failed: 5 })
  expect(receiver.received.length).toBe(1)

  // The same address is a control-plane Host's, once nobody else claims it.
  await cluster.unregister('api-server')
  await cluster.register('control-plane', sketches['control-plane'])
  await cluster.online()
  const [failure] = (await cluster.send({ workers: ['control-plane'], http: { port: 9 } })).failures
  expect(failure?.reason).toMatch(/^Connect/)
  leadership.lose()
  await term
}, 60_000)

async function certificateOf() {
  const authority = await CertificateAuthority.create('agents')
  return { ...(await authority.issue({ subject: 'CN=operator', usages: ['client'] })), ca: authority.certificate }
}
