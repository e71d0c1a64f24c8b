import { KubeClient, type Leadership } from '@keelson/kube'
import { CertificateAuthority, eventually } from '@keelson/testbed'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Health } from './serving/health.ts'
import { runTerm, type TermOptions } from './term.ts'
import { loopbackAddress } from './testing/addresses.ts'
import { Receiver } from './testing/receiver.ts'
import { TestLeadership } from './testing/test-leadership.ts'
import { numbered, TestCluster } from './testing/test-cluster.fixture.ts'

const nodes = numbered(6, 'node')
const fixtures = new AsyncDisposableStack()
let cluster: TestCluster
let receiver: Receiver
let client: KubeClient
let tls: { ca: string; certificate: string; key: string }

beforeAll(async () => {
  cluster = fixtures.use(await TestCluster.start())
  receiver = fixtures.use(await Receiver.start({ address: loopbackAddress(1) }))
  client = fixtures.use(await KubeClient.fromKubeconfig(cluster.kubeconfig, { fieldManager: 'keelson-operator' }))
  cluster.defaults = { workers: nodes, parallelism: 1, http: { port: receiver.port } }
  for (const name of nodes) await cluster.register(name, { address: loopbackAddress(1) })
  const authority = await CertificateAuthority.create('agents')
  const pair = await authority.issue({ subject: 'CN=operator', dnsNames: ['request.keelson.dev'], usages: ['client'] })
  tls = { ...pair, ca: authority.certificate }
})

afterAll(async () => fixtures.disposeAsync())

/** It signs, too, unless it is given certificates. */
function begin(leadership: Leadership, more: Partial<TermOptions> = {}): Promise<number | undefined> {
  const logger = pino({ enabled: false })
  return runTerm({ client, logger, allowLoopback: true, factsIntervalMs: 200, drainMs: 200, ...more }, leadership)
}

test('a leader whose lease has run out sends nothing more, though nobody has told it yet, and writes no outcome', async () => {
  const leadership = new TestLeadership(0)
  const term = begin(leadership, { tls })
  await cluster.online()
  let answer = (): void => undefined
  receiver.answer = (response) => {
    if (receiver.received.length === 3) answer = () => response.end()
    else response.end()
  }
  const name = cluster.newName()
  await cluster.apply(name, { timeoutSeconds: 60 })
  await eventually('the third host has it', () => receiver.received.length === 3)
  leadership.runOut()
  answer()
  const before = (await cluster.requestNamed(name)).status
  // The next host would have its turn in less than these take.
  for (let trips = 0; trips < 5; trips++) await cluster.requestNamed(name)
  leadership.lose()
  expect(await term).toBeUndefined()
  expect(receiver.received.length).toBe(3)
  expect((await cluster.requestNamed(name)).status).toEqual(before)

  const next = new TestLeadership(1)
  const following = begin(next, { tls })
  expect(await cluster.finished(name)).toMatchObject({ state: 'ERROR', unknown: '0-5', run: { epoch: 1 } })
  next.lose()
  await following
  expect(receiver.received.length).toBe(3)
})

test('an API server that is away when a term begins is waited for, and probes say so', async () => {
  receiver.answer = (response) => response.end()
  const health = new Health()
  const leadership = new TestLeadership(5)
  await cluster.controlPlane.killApiServer()
  const term = begin(leadership, { health })
  await eventually('it waits', () => health.waitingFor()?.includes('certificates'))
  await cluster.controlPlane.startApiServer()
  await eventually('it is ready', () => health.waitingFor() === undefined, 20_000)
  expect(await cluster.send()).toMatchObject({ state: 'SUCCESS', run: { epoch: 5 } })
  leadership.lose()
  await term
})

test('terms that come and go leave nothing behind', async () => {
  receiver.answer = (response) => response.end()
  const warnings: Error[] = []
  const listen = (warning: Error) => warnings.push(warning)
  process.on('warning', listen)
  let epoch = 10
  const cycle = async () => {
    const leadership = new TestLeadership(epoch++)
    const term = begin(leadership)
    expect(await cluster.send()).toMatchObject({ state: 'SUCCESS', run: { epoch: leadership.epoch } })
    leadership.lose()
    await term
  }
  const resources = () => {
    const kinds = process.getActiveResourcesInfo()
    return {
      timers: kinds.filter((kind) => kind === 'Timeout').length,
      sockets: kinds.filter((kind) => kind === 'TCPSocketWrap').length,
    }
  }
  await cycle()
  const first = resources()
  for (let terms = 0; terms < 12; terms++) await cycle()
  // The client keeps some connections, and the test some of its own: what a term leaves would be there twelve times.
  const last = resources()
  expect(last.timers - first.timers).toBeLessThan(6)
  expect(last.sockets - first.sockets).toBeLessThan(6)
  process.removeListener('warning', listen)
  expect(warnings).toEqual([])
})
