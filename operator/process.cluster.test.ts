import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KubernetesObject } from '@keelson/kube'
import { CertificateAuthority, eventually } from '@keelson/testbed'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loopbackAddress } from './testing/addresses.ts'
import { OperatorProcess } from './testing/operator-process.fixture.ts'
import { Receiver } from './testing/receiver.ts'
import { numbered, TestCluster } from './testing/test-cluster.fixture.ts'

type Event = KubernetesObject & {
  readonly type: string
  readonly reason: string
  readonly note: string
  readonly reportingController: string
  readonly regarding: { readonly kind: string; readonly name: string }
}

const nodes = numbered(3, 'node')
const times = ['--lease-duration-seconds=30', '--renew-deadline-seconds=20', '--retry-period-seconds=1']
const port = 8_080
const fixtures = new AsyncDisposableStack()
let cluster: TestCluster
let receiver: Receiver
let tls: string
let first: OperatorProcess
let second: OperatorProcess

beforeAll(async () => {
  cluster = fixtures.use(await TestCluster.start())
  receiver = fixtures.use(await Receiver.start({ address: loopbackAddress(1) }))
  cluster.defaults = { workers: nodes, http: { port: receiver.port } }
  for (const name of nodes) await cluster.register(name, { address: loopbackAddress(1) })
  await cluster.setReady(nodes[2]!, false)
  tls = await mkdtemp(join(tmpdir(), 'keelson-process-'))
  const authority = await CertificateAuthority.create('agents')
  const pair = await authority.issue({ subject: 'CN=operator', dnsNames: ['request.keelson.dev'], usages: ['client'] })
  const files = { 'ca.crt': authority.certificate, 'tls.crt': pair.certificate, 'tls.key': pair.key }
  for (const [name, content] of Object.entries(files)) await writeFile(join(tls, name), content)
  first = fixtures.use(start(2))
  await first.leads()
  second = fixtures.use(start(3))
  await second.says('the leader is known')
  await cluster.online()
})

afterAll(async () => {
  await fixtures.disposeAsync()
  await rm(tls, { recursive: true, force: true })
})

const start = (host: number) =>
  new OperatorProcess(cluster.kubeconfig, [
    ...[`--tls=${tls}`, ...times, `--metrics-address=${loopbackAddress(host)}:${port}`],
  ])

async function ask(host: number, path: string) {
  const response = await fetch(`http://${loopbackAddress(host)}:${port}${path}`)
  return { status: response.status, body: await response.text() }
}

const metric = async (host: number, series: string) =>
  (await ask(host, '/metrics')).body
    .split('\n')
    .find((line) => line.startsWith(`${series} `))
    ?.split(' ')[1]

async function eventsOf(name: string): Promise<Event[]> {
  const { items } = JSON.parse(await cluster.kubectl('get', 'events.events.k8s.io', '-A', '--output=json')) as {
    items: Event[]
  }
  return items.filter(({ regarding }) => regarding.name === name)
}

test('leader and candidate are alive and ready, and say which they are', async () => {
  for (const host of [2, 3]) {
    expect(await ask(host, '/healthz')).toEqual({ status: 200, body: 'ok\n' })
    await eventually('it is ready', async () => (await ask(host, '/readyz')).status === 200)
  }
  const series = 'leader_election_master_status{name="keelson-operator"}'
  expect([await metric(2, series), await metric(3, series)]).toEqual(['1', '0'])
})

test('what is measured, is', async () => {
  expect(await cluster.send()).toMatchObject({ state: 'SUCCESS', progress: '2/2' })
  const measured = {
    'keelson_hosts{online="true"}': '2',
    'keelson_hosts{online="false"}': '1',
    'keelson_hostrequests{state="SUCCESS"}': '1',
    'keelson_deliveries_total{outcome="succeeded"}': '2',
    'keelson_delivery_duration_seconds_count{outcome="succeeded"}': '2',
    keelson_runs_begun_total: '1',
    'keelson_runs_ended_total{reason="Succeeded"}': '1',
    keelson_policy_missing: '0',
    'workqueue_depth{name="hostrequest"}': '0',
    'reflector_lists_total{name="HostRequest"}': '1',
  }
  await eventually('all of it is there', async () => {
    const found = await Promise.all(Object.keys(measured).map(async (series) => [series, await metric(2, series)]))
    expect(Object.fromEntries(found)).toEqual(measured)
    return true
  })
  expect(Number(await metric(2, 'rest_client_requests_total{code="200",method="GET"}'))).toBeGreaterThan(0)
  expect(
    Number(await metric(2, 'controller_runtime_reconcile_total{controller="hostrequest",result="success"}')),
  ).toBeGreaterThan(0)
  expect(Number(await metric(2, 'process_resident_memory_bytes'))).toBeGreaterThan(0)
  expect(await metric(3, 'keelson_hosts{online="true"}')).toBeUndefined()
})

test('runs are told as Events and in the log, each line with its run', async () => {
  const [good, bad, refused] = [cluster.newName(), cluster.newName(), cluster.newName()]
  await cluster.apply(good)
  await cluster.finished(good)
  receiver.answer = (response) => response.writeHead(500).end()
  await cluster.apply(bad)
  const { run, msg } = await cluster.finished(bad)
  await cluster.apply(refused, { workers: ['nobody'] })
  await cluster.finished(refused)
  const told = async (name: string) => {
    const events = await eventsOf(name)
    return events.map(({ type, reason, note }) => `${type} ${reason} ${note}`).toSorted()
  }
  await eventually('all Events are there', async () => {
    expect(await told(good)).toEqual([
      ...[expect.stringMatching(/^Normal RunBegun run .*: 3 hosts$/), expect.stringContaining('Normal Succeeded 2/2')],
    ])
    expect(await told(bad)).toEqual([`Normal RunBegun run ${run.id}: 3 hosts`, `Warning HostsFailed ${msg}`].toSorted())
    expect(await told(refused)).toEqual(['Warning UnknownWorkers no such host: nobody; nothing was sent'])
    expect(await told('keelson-operator')).toEqual([expect.stringMatching(/^Normal Leading epoch \d+$/)])
    return true
  })
  expect(first.stray).toEqual([])
  const lines = first.log.filter(({ msg: text }) => text.startsWith('run '))
  expect(lines.filter((line) => typeof line['run'] !== 'string')).toEqual([])
  expect(lines.filter((line) => line['run'] === run.id)).toMatchObject([
    { msg: 'run begun', hosts: 3 },
    { msg: 'run ended', state: 'ERROR', reason: 'HostsFailed' },
  ])
  // kubectl shows them where people look.
  expect(await cluster.kubectl('describe', 'hostrequest', bad)).toMatch(/Warning\s+HostsFailed/)
})

test('a port that is taken ends the process, with a reason', async () => {
  await using third = start(2)
  expect(await third.ended()).toBe(1)
  expect(third.log.at(-1)).toMatchObject({ level: 60, msg: 'operator ended', err: { code: 'EADDRINUSE' } })
})
