import { readdir, readFile } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { agentPort, type Host, type HostRequest, type HostRequestSpec, type HostRequestStatus } from '@keelson/api'
import { ConnectionError, keyOf, kinds, KubeClient, loadKubeconfig } from '@keelson/kube'
import { CertificateAuthority, ControlPlane, eventually } from '@keelson/testbed'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { hostKind, hostRequestKind } from './kinds.ts'
import { runOperator } from './operator.ts'
import { loopbackAddress } from './testing/addresses.ts'
import { Receiver, type Answer } from './testing/receiver.ts'

const namespace = 'default'
const user = 'system:serviceaccount:keelson-system:keelson-operator'
const deploy = join(import.meta.dirname, '../deploy')

type StatusWrite = (object: HostRequest, write: () => Promise<void>) => Promise<void>

/** The operator's own client, on whose status writes of HostRequests something can happen, and whose status writes of Hosts can be held up. */
class WatchedClient extends KubeClient {
  onStatusWrite: StatusWrite = async (_, write) => write()
  hostGate: Promise<void> = Promise.resolve()

  override async updateStatus<T extends { readonly metadata: { readonly name: string }; readonly status?: unknown }>(
    ...[kind, object, options, signal]: Parameters<typeof KubeClient.prototype.updateStatus<T>>
  ): Promise<T> {
    let written: T | undefined
    const write = async () => {
      written = await super.updateStatus(kind, object, options, signal)
    }
    if (kind.kind === 'HostRequest') await this.onStatusWrite(object as unknown as HostRequest, write)
    else await this.hostGate.then(write)
    return written!
  }
}

/** runOperator in this process, with the rights of its ServiceAccount and no others. */
class Operator {
  readonly client: WatchedClient
  readonly #electionClient: KubeClient
  readonly #stop = new AbortController()
  readonly #end: Promise<void>

  private constructor(client: WatchedClient, electionClient: KubeClient) {
    this.client = client
    this.#electionClient = electionClient
    const logger = pino({ base: null }, { write: (line: string) => log.push(JSON.parse(line) as LogLine) })
    // Longer than an API server of these tests is away.
    const leaseTimes = { leaseMs: 60_000, renewDeadlineMs: 50_000, retryMs: 1_000 }
    const options = { client, electionClient, leaseTimes, tls, logger, allowLoopback: true }
    this.#end = runOperator({ ...options, factsIntervalMs: 500, drainMs: 200 }, this.#stop.signal)
    this.#end.catch(() => undefined)
  }

  static async start(hostGate?: Promise<void>): Promise<Operator> {
    const connection = { ...(await loadKubeconfig(kubeconfig)), fieldManager: 'keelson-operator' }
    const client = new WatchedClient(connection)
    if (hostGate !== undefined) client.hostGate = hostGate
    return new Operator(client, new KubeClient(connection))
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#end
    await Promise.all([this.client.close(), this.#electionClient.close()])
  }
}

type LogLine = { readonly level: number; readonly msg: string; readonly err?: { readonly message: string } }

let cluster: ControlPlane
let kubeconfig: string
let admin: KubeClient
let authority: CertificateAuthority
let tls: { ca: string; certificate: string; key: string }
let operator: Operator
const log: LogLine[] = []
const fixtures = new AsyncDisposableStack()

/** Machines of the test: an address for each, and a web server on the same port of all. */
const machines = ['worker-1', 'worker-2', 'control', 'offline'] as const
type Machine = (typeof machines)[number]
const addressOf = (name: Machine) => loopbackAddress(machines.indexOf(name) + 1)
const shortLived = loopbackAddress(10)
const lateAddress = loopbackAddress(11)
const fleetAddress = loopbackAddress(20)
let web: Record<Machine, Receiver>
let agent: Receiver

beforeAll(async () => {
  cluster = fixtures.use(await ControlPlane.start({ controllerManager: false }))
  admin = fixtures.use(await KubeClient.fromKubeconfig(cluster.adminKubeconfig, { fieldManager: 'test' }))
  kubeconfig = await cluster.serviceAccountKubeconfig('keelson-system', 'keelson-operator')
  for (const folder of ['admission', 'crds', 'rbac'])
    for (const file of await readdir(join(deploy, folder)))
      await kubectl('apply', '--server-side', '--filename', join(deploy, folder, file))
  await kubectl('wait', '--for=condition=Established', 'crd/hosts.keelson.dev', 'crd/hostrequests.keelson.dev')

  const inForce = sleep(6_000)

  authority = await CertificateAuthority.create('agents')
  const pair = await authority.issue({ subject: 'CN=operator', dnsNames: ['request.keelson.dev'], usages: ['client'] })
  tls = { ...pair, ca: authority.certificate }
  const first = fixtures.use(await Receiver.start({ address: addressOf('worker-1') }))
  const { port } = first
  const rest = machines
    .slice(1)
    .map(async (name) => [name, fixtures.use(await Receiver.start({ address: addressOf(name), port }))] as const)
  web = Object.fromEntries([['worker-1', first], ...(await Promise.all(rest))]) as typeof web
  agent = fixtures.use(await startAgent('worker-1'))

  for (const name of machines) await register(name)
  operator = await Operator.start()
  await onlineAgain()
  // The operator takes no request for judged that was written sooner.
  await inForce
})

afterAll(async () => {
  await operator?.stop()
  await fixtures.disposeAsync()
})

beforeEach(() => {
  for (const receiver of Object.values(web)) {
    receiver.received.length = 0
    receiver.abandoned = 0
    receiver.answer = (response) => response.end()
  }
})

afterEach(async () => {
  operator.client.onStatusWrite = async (_, write) => write()
  // Whatever the test did to it, an operator at work has nothing to complain of.
  const complaints = takeComplaints()
  if (complaints.length > 0) throw new Error(`the operator complained: ${JSON.stringify(complaints)}`)
})

const takeComplaints = () => log.splice(0).filter(({ level }) => level >= 40)

async function kubectl(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await cluster.kubectl(args)
  if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
  return stdout
}

/** A fake agent that answers every GET with facts. */
async function startAgent(name: Machine): Promise<Receiver> {
  const pair = await authority.issue({ subject: `CN=${name}`, dnsNames: [name], usages: ['server'] })
  const facts = {
    ...{
      protocol: 1,
      agentVersion: '0.1.0',
      hostname: name,
      kernelVersion: '6.1.0',
      bootID: 'b0',
      architecture: 'x86_64',
    },
    ...{ os: { id: 'debian', versionID: '12', name: 'Debian \ud800' }, types: { sysctl: 1, hostname: 1 } },
  }
  return Receiver.start({
    ...{ address: addressOf(name), port: agentPort, answer: (response) => response.end(JSON.stringify(facts)) },
    tls: { cert: pair.certificate, key: pair.key, ca: authority.certificate, requestCert: true },
  })
}

async function register(name: string, address = addressOf(name as Machine), ready = name !== 'offline'): Promise<void> {
  const labels = name === 'control' ? { 'node-role.kubernetes.io/control-plane': '' } : { zone: 'a' }
  await admin.create(kinds.Node, { metadata: { name, labels } })
  await admin.patch(
    kinds.Node,
    { name },
    { status: { addresses: [{ type: 'InternalIP', address }] } },
    { subresource: 'status' },
  )
  await setReady(name, ready)
}

/** Nodes that are one machine, for tests to which their number matters. Gone at the end. */
async function fleet(names: readonly string[], address: string): Promise<AsyncDisposable> {
  const addAll = (name: string) => register(name, address)
  // Some at a time: each is several requests.
  for (let from = 0; from < names.length; from += 20) await Promise.all(names.slice(from, from + 20).map(addAll))
  const wanted = names.length + 3
  await eventually('they are online', async () => (await onlineHosts()).length === wanted)
  return {
    async [Symbol.asyncDispose]() {
      const { items } = await admin.list(kinds.Node)
      const there = items.map(keyOf).filter((name) => names.includes(name))
      for (const name of there) await admin.delete(kinds.Node, { name })
      await onlineAgain()
    },
  }
}

const numbered = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(3, '0')}`)

async function setReady(name: string, ready: boolean): Promise<void> {
  const is = { status: ready ? 'True' : 'Unknown', reason: ready ? 'KubeletReady' : 'NodeStatusUnknown' }
  const conditions = [{ type: 'Ready', ...is, lastTransitionTime: '2026-01-02T12:00:00Z' }]
  await admin.patch(kinds.Node, { name }, { status: { conditions } }, { subresource: 'status' })
}

function condition({ status }: Host, type: string): string | undefined {
  return status?.conditions.find((found) => found.type === type)?.status
}

async function onlineHosts(): Promise<string[]> {
  const { items } = await admin.list(hostKind)
  return items.filter((host) => condition(host, 'Online') === 'True').map(keyOf)
}

async function onlineAgain(): Promise<void> {
  const wanted = ['control', 'worker-1', 'worker-2'].join()
  await eventually(`${wanted} are online, no others`, async () => (await onlineHosts()).join() === wanted)
}

const hostNamed = (name: string) => admin.get(hostKind, { name })

type Sketch = Partial<Omit<z.input<typeof HostRequestSpec>, 'workers' | 'http'>> & {
  readonly workers?: readonly string[]
  readonly http?: Partial<z.input<typeof HostRequestSpec>['http']>
}

const specOf = ({ workers = ['worker-1', 'worker-2'], http = {}, ...rest }: Sketch = {}) =>
  ({
    ...rest,
    workers: workers.map((name) => ({ name })),
    http: { port: web['worker-1'].port, api: '/', method: 'POST', ...http },
  }) as HostRequestSpec

let requests = 0
const newName = () => `request-${++requests}`

async function apply(name: string, sketch: Sketch = {}): Promise<HostRequest> {
  return admin.apply(hostRequestKind, { metadata: { name, namespace }, spec: specOf(sketch) }, { force: true })
}

const requestNamed = (name: string) => admin.get(hostRequestKind, { name, namespace })

async function finished(name: string, generation = 1): Promise<HostRequestStatus> {
  return eventually(`generation ${generation} of ${name} has ended`, async () => {
    const { status } = await requestNamed(name)
    const end = status?.conditions.find(({ type }) => type === 'Finished')
    return end?.status === 'True' && end.observedGeneration === generation ? status : undefined
  })
}

async function send(sketch: Sketch = {}): Promise<HostRequestStatus> {
  const name = newName()
  await apply(name, sketch)
  return finished(name)
}

/** What each machine received on a path. */
const received = (path: string, on: readonly Machine[] = ['worker-1', 'worker-2']) =>
  on.map((name) => web[name].received.filter(({ url }) => url === path).length)

/**
 * Until a request that came later is through. The operator takes requests in the order of their changes, so whatever it were to send by
 * mistake would have come by then.
 */
async function settle(): Promise<void> {
  expect(await send({ http: { api: '/settle' } })).toMatchObject({ state: 'SUCCESS' })
}

type AuditEvent = {
  readonly user: { readonly username: string }
  readonly verb: string
  readonly objectRef?: { readonly resource: string; readonly name?: string; readonly subresource?: string }
  readonly responseStatus?: { readonly code: number }
}

/** What the operator asked of the API server, as that saw it. */
async function asked(): Promise<string[]> {
  const lines = (await readFile(cluster.auditLog, 'utf8')).split('\n').slice(0, -1)
  return lines
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter((event) => event.user.username === user)
    .map(({ verb, objectRef, responseStatus }) =>
      [verb, objectRef?.resource, objectRef?.subresource, objectRef?.name, responseStatus?.code].join(' '),
    )
}

const writes = async () => (await asked()).filter((line) => !/^(get|list|watch) /.test(line))

async function statusWrites(name: string): Promise<number> {
  return (await writes()).filter((write) => write === `update hostrequests status ${name} 200`).length
}

describe('a Host', () => {
  test('is there for every Node, with role, labels, address and the facts of its agent', async () => {
    await eventually('the agent was asked', async () => condition(await hostNamed('worker-1'), 'Ready') === 'True')
    const { items } = await admin.list(hostKind)
    expect(
      items.map(({ metadata, status }) => `${metadata.name} ${status?.role} ${status?.addresses[0]?.address}`),
    ).toEqual([
      ...[`control ControlPlane ${addressOf('control')}`, `offline Worker ${addressOf('offline')}`],
      ...[`worker-1 Worker ${addressOf('worker-1')}`, `worker-2 Worker ${addressOf('worker-2')}`],
    ])
    const [, , worker1, worker2] = items
    expect(worker1?.metadata.labels).toEqual({ zone: 'a' })
    expect(worker1?.status?.facts).toMatchObject({ kernelVersion: '6.1.0', os: { name: 'Debian \ufffd' } })
    expect(condition(worker2!, 'Ready')).toBe('False')
  })

  test('follows the labels of its Node and keeps its own', async () => {
    await kubectl('label', 'host', 'worker-2', 'keelson.dev/own=yes', 'stray=yes')
    await kubectl('label', 'node', 'worker-2', 'zone=b', 'keelson.dev/forged=yes', '--overwrite')
    const wanted = { zone: 'b', 'keelson.dev/own': 'yes' }
    await eventually('the Host has them', async () => {
      expect((await hostNamed('worker-2')).metadata.labels).toEqual(wanted)
      return true
    })
    await kubectl('label', 'node', 'worker-2', 'zone=a', '--overwrite')
  })

  test('that somebody deletes is made again', async () => {
    const { metadata } = await hostNamed('offline')
    await admin.delete(hostKind, metadata)
    const again = await eventually('it is back', async () => {
      const host = await hostNamed('offline')
      return host.metadata.uid !== metadata.uid && host.status !== undefined && host
    })
    expect(condition(again, 'Online')).toBe('False')
  })

  test('goes with its Node', async () => {
    await register('short-lived', shortLived)
    const present = async () => (await admin.list(hostKind)).items.map(keyOf).includes('short-lived')
    await eventually('it is there', present)
    await admin.delete(kinds.Node, { name: 'short-lived' })
    await eventually('it is gone', async () => !(await present()))
    expect(await present()).toBe(false)
  })

  test('is offline at once when its Node is, however long its agent hangs', async () => {
    const sockets = new Set<Socket>()
    const hanging = createServer((socket) => sockets.add(socket.on('error', () => undefined)))
    await once(hanging.listen(agentPort, addressOf('worker-2')), 'listening')
    try {
      await eventually('the agent is asked', () => sockets.size > 0)
      await setReady('worker-2', false)
      // The time that the agent is given is longer.
      await eventually('it is offline', async () => condition(await hostNamed('worker-2'), 'Online') === 'False', 2_000)
      expect([...sockets].some((socket) => !socket.destroyed)).toBe(true)
    } finally {
      for (const socket of sockets) socket.destroy()
      hanging.close()
      await setReady('worker-2', true)
      await onlineAgain()
    }
  })
})

describe('a HostRequest', () => {
  test('of every host: each that is online gets it once, the other is named', async () => {
    const status = await send({ workers: [], http: { api: '/all', method: 'GET' } })
    expect(status).toMatchObject({
      ...{ state: 'SUCCESS', progress: '3/3', msg: '3/3 hosts answered; skipped: offline (offline)', failures: [] },
      counts: { targets: 4, succeeded: 3, failed: 0, unknown: 0, skipped: 1 },
      run: { finishTime: expect.any(String) },
    })
    expect(received('/all', machines)).toEqual([1, 1, 1, 0])
  })

  test('bears its parameters', async () => {
    const parameters = [{ key: 'a', value: 'b c' }]
    await send({ http: { api: '/post', parameters } })
    await send({ http: { api: '/get', method: 'GET', parameters } })
    expect(web['worker-1'].received.map(({ method, url, body }) => `${method} ${url} ${body}`)).toEqual([
      ...['POST /post {"a":"b c"}', 'GET /get?a=b+c '],
    ])
  })

  test('that a host answers with 500 is an ERROR with name and code', async () => {
    web['worker-2'].answer = (response) => response.writeHead(500).end()
    expect(await send()).toMatchObject({
      ...{ state: 'ERROR', progress: '1/2', msg: '1/2 hosts answered; failed: worker-2 (HTTP 500)' },
      failures: [{ host: 'worker-2', reason: 'HTTPStatus', code: 500, message: 'HTTP 500' }],
    })
  })

  test('whose answer does not come in time is unknown, for the host may have acted', async () => {
    web['worker-2'].answer = () => undefined
    expect(await send({ timeoutSeconds: 1 })).toMatchObject({
      ...{ state: 'ERROR', counts: { succeeded: 1, failed: 0, unknown: 1 } },
      msg: '1/2 hosts answered; unknown: worker-2 (no answer within 1 s; the host may have got the request)',
      failures: [{ host: 'worker-2', reason: 'HeadersTimeout' }],
    })
    expect(received('/')).toEqual([1, 1])
  })

  test('of unknown names sends nothing and names them', async () => {
    expect(await send({ workers: ['worker-1', 'wroker-2', 'nobody'] })).toMatchObject({
      ...{ state: 'ERROR', msg: 'no such host: nobody, wroker-2; nothing was sent' },
      conditions: [{}, {}, { type: 'Stalled', status: 'True', reason: 'UnknownWorkers' }, {}],
    })
    await settle()
    expect(received('/')).toEqual([0, 0])
  })

  test('skips who is named and of another role, or offline', async () => {
    expect(await send({ workers: ['control', 'worker-1', 'offline'], http: { targetType: 'Worker' } })).toMatchObject({
      ...{ state: 'SUCCESS', progress: '1/1' },
      msg: '1/1 hosts answered; skipped: control (not targeted); skipped: offline (offline)',
    })
    expect(received('/', machines)).toEqual([1, 0, 0, 0])
    expect(await send({ workers: ['offline'] })).toMatchObject({
      ...{ state: 'ERROR', msg: 'no host to send to; skipped: offline (offline); nothing was sent' },
    })
  })

  test('is carried out once: labels, status and a new operator send nothing, a changed spec does', async () => {
    const name = newName()
    await apply(name, { http: { api: '/once' } })
    await finished(name)
    await admin.patch(hostRequestKind, { name, namespace }, { metadata: { labels: { touched: 'yes' } } })
    await admin.patch(hostRequestKind, { name, namespace }, { status: { msg: 'edited' } }, { subresource: 'status' })
    await settle()
    await operator.stop()
    operator = await Operator.start()
    await settle()
    expect(received('/once')).toEqual([1, 1])
    expect((await requestNamed(name)).status?.msg).toBe('edited')

    await apply(name, { http: { api: '/once' }, timeoutSeconds: 11 })
    expect(await finished(name, 2)).toMatchObject({ state: 'SUCCESS', observedGeneration: 2 })
    expect(received('/once')).toEqual([2, 2])

    await admin.delete(hostRequestKind, { name, namespace })
    await apply(name, { http: { api: '/once' } })
    await finished(name)
    expect(received('/once')).toEqual([3, 3])
  })
})

describe('a policy', () => {
  const three = ['control', 'worker-1', 'worker-2']
  const online = ['control', 'worker-1', 'worker-2'] as const
  const fails: Answer = (response) => response.writeHead(500).end()
  const reasonOf = (status: HostRequestStatus) => status.conditions.find(({ type }) => type === 'Stalled')?.reason

  test.each(['PUT', 'PATCH', 'DELETE'] as const)('%s arrives as such', async (method) => {
    const parameters = [{ key: 'a', value: 'b c' }]
    expect(await send({ http: { api: '/any', method, parameters } })).toMatchObject({ state: 'SUCCESS' })
    const [url, body] = method === 'DELETE' ? ['/any?a=b+c', ''] : ['/any', '{"a":"b c"}']
    expect(web['worker-1'].received).toMatchObject([{ method, url, body }])
  })

  test('retry: a host that failed gets it again in a later round, under another key', async () => {
    web['worker-2'].answer = (response) => response.writeHead(web['worker-2'].received.length === 1 ? 500 : 200).end()
    const status = await send({ retry: { limit: 3 } })
    expect(status).toMatchObject({ state: 'SUCCESS', progress: '2/2', failures: [], run: { round: 1 } })
    const { uid } = (await hostNamed('worker-2')).metadata
    expect(web['worker-2'].received.map(({ idempotencyKey }) => idempotencyKey)).toEqual([
      ...[`${status.run.id}/0/${uid}`, `${status.run.id}/1/${uid}`],
    ])
    expect(received('/')).toEqual([1, 2])
  })

  test('retry: a host whose answer was lost does not get it again', async () => {
    web['worker-2'].answer = (response) => response.destroy()
    expect(await send({ retry: { limit: 3 } })).toMatchObject({ state: 'ERROR', unknown: '1', run: { round: 0 } })
    expect(received('/')).toEqual([1, 1])
  })

  test('waves: a canary that fails stops the rest, and who was not sent to is told', async () => {
    for (const name of online) web[name].answer = fails
    const status = await send({ workers: three, waves: [1, '100%'] })
    expect(status).toMatchObject({
      ...{ state: 'ERROR', progress: '0/3', counts: { targets: 3, succeeded: 0, failed: 1, unknown: 0, skipped: 2 } },
      msg: expect.stringMatching(
        /^0[/]3 hosts answered; stopped, a host of the wave failed: 2 hosts not sent to; failed: [a-z0-9-]+ .HTTP 500.$/,
      ),
      run: { wave: 0 },
    })
    expect(reasonOf(status)).toBe('WaveFailed')
    expect(received('/', online).filter((count) => count > 0)).toEqual([1])
    expect(received('/', online)[three.indexOf(status.failures[0]!.host)]).toBe(1)
  })

  test('waves: a canary that succeeds lets the rest begin', async () => {
    const status = await send({ workers: three, waves: [1, '100%'] })
    expect(status).toMatchObject({ state: 'SUCCESS', progress: '3/3', run: { wave: 1 } })
    expect(received('/', online)).toEqual([1, 1, 1])
  })

  test('onFailure: Continue goes on all the same', async () => {
    for (const name of online) web[name].answer = fails
    const status = await send({ workers: three, waves: [1, '100%'], onFailure: 'Continue' })
    expect(status).toMatchObject({ state: 'ERROR', counts: { failed: 3, skipped: 0 } })
    expect(reasonOf(status)).toBe('HostsFailed')
    expect(received('/', online)).toEqual([1, 1, 1])
  })

  test.each([
    [2, 'HostsFailed', [1, 1, 1]],
    [1, 'TooManyFailures', [1, 1, 0]],
    ['34%', 'HostsFailed', [1, 1, 1]],
    ['33%', 'TooManyFailures', [1, 1, 0]],
    [0, 'TooManyFailures', [1, 0, 0]],
  ])('maxFailures %s of three, where the first two fail: %s', async (maxFailures, reason, sent) => {
    for (const name of ['control', 'worker-1'] as const) web[name].answer = fails
    const status = await send({ workers: three, maxFailures, parallelism: 1 })
    expect(status.state).toBe('ERROR')
    expect(reasonOf(status)).toBe(reason)
    expect(received('/', online)).toEqual(sent)
    const left = sent.filter((count) => count === 0).length
    expect(status.counts.skipped).toBe(left)
    expect(status.msg.includes(`stopped, more than maxFailures failed: ${left} hosts not sent to`)).toBe(left > 0)
  })

  test('onOffline: Wait sends to a host once it is back', async () => {
    const name = newName()
    await apply(name, { workers: ['offline', 'worker-1'], onOffline: 'Wait' })
    const waiting = await eventually('the other one has answered', async () => {
      const { status } = await requestNamed(name)
      return status?.succeeded === '1' && status
    })
    expect(waiting).toMatchObject({ state: 'RUNNING', progress: '1/2', run: { claim: '' } })
    expect(received('/', ['offline'])).toEqual([0])
    await setReady('offline', true)
    try {
      expect(await finished(name)).toMatchObject({ state: 'SUCCESS', progress: '2/2' })
      expect(received('/', ['offline', 'worker-1'])).toEqual([1, 1])
    } finally {
      await setReady('offline', false)
      await onlineAgain()
    }
  })

  test('onOffline: Try sends to it at once', async () => {
    expect(await send({ workers: ['offline', 'worker-1'], onOffline: 'Try' })).toMatchObject({
      ...{ state: 'SUCCESS', progress: '2/2' },
    })
    expect(received('/', ['offline', 'worker-1'])).toEqual([1, 1])
  })

  test('onOffline: Skip is asked when it is the turn of a host, not before', async () => {
    const name = newName()
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
    web['worker-1'].answer = (response) => void answered.then(() => response.end())
    await apply(name, {
      workers: ['worker-1', 'worker-2'],
      waves: ['50%', '100%'],
      http: { api: '/turn' },
      timeoutSeconds: 60,
    })
    web['worker-2'].answer = web['worker-1'].answer
    const canary = await eventually('the canary has it', () => {
      const [one, two] = received('/turn')
      return one === 1 ? 'worker-1' : two === 1 ? 'worker-2' : undefined
    })
    const other = canary === 'worker-1' ? 'worker-2' : 'worker-1'
    await setReady(other, false)
    await eventually('it is offline', async () => condition(await hostNamed(other), 'Online') === 'False')
    answer()
    expect(await finished(name)).toMatchObject({
      ...{ state: 'SUCCESS', msg: `1/1 hosts answered; skipped: ${other} (offline)` },
    })
    await setReady(other, true)
    await onlineAgain()
  })

  test('activeDeadlineSeconds ends a run that waits', async () => {
    const status = await send({ workers: ['offline', 'worker-1'], onOffline: 'Wait', activeDeadlineSeconds: 1 })
    expect(status).toMatchObject({
      ...{ state: 'ERROR', counts: { targets: 2, succeeded: 1, skipped: 1 } },
      msg: '1/2 hosts answered; stopped, activeDeadlineSeconds are over: 1 hosts not sent to',
    })
    expect(reasonOf(status)).toBe('DeadlineExceeded')
    expect(received('/', ['offline', 'worker-1'])).toEqual([0, 1])
  })

  test('runToken changed runs again', async () => {
    const name = newName()
    await apply(name, { http: { api: '/token' } })
    const { run: first } = await finished(name)
    await apply(name, { http: { api: '/token' }, runToken: 'again' })
    const { run: second } = await finished(name, 2)
    const { uid } = (await requestNamed(name)).metadata
    expect([first.id, second.id]).toEqual([`${uid}-1`, `${uid}-2-again`])
    expect(received('/token')).toEqual([2, 2])
  })
})

/** A run that hangs at worker-1, the first of its hosts. */
async function hangingRun(sketch: Sketch = {}): Promise<string> {
  const name = newName()
  web['worker-1'].answer = () => undefined
  await apply(name, { parallelism: 1, timeoutSeconds: 60, ...sketch })
  await eventually('worker-1 has it', () => web['worker-1'].received.length === 1)
  return name
}

const abandoned = () => eventually('worker-1 has lost the connection', () => web['worker-1'].abandoned === 1, 2_000)

describe('under way', () => {
  test('a changed spec ends the old run at once and begins the new one', async () => {
    const name = await hangingRun({ http: { api: '/old' } })
    expect((await requestNamed(name)).status).toMatchObject({ state: 'RUNNING', progress: '0/2' })
    web['worker-1'].answer = (response) => response.end()
    await apply(name, { http: { api: '/new' } })
    await abandoned()
    expect(await finished(name, 2)).toMatchObject({ state: 'SUCCESS', progress: '2/2' })
    await settle()
    expect([received('/old'), received('/new')]).toEqual([
      [1, 0],
      [1, 1],
    ])
  })

  test('a deletion closes the connections, and nobody else gets it', async () => {
    const name = await hangingRun({ http: { api: '/deleted' } })
    await admin.delete(hostRequestKind, { name, namespace })
    await abandoned()
    web['worker-1'].answer = (response) => response.end()
    await settle()
    expect(received('/deleted')).toEqual([1, 0])
  })

  test('so does one that a finalizer delays', async () => {
    const name = await hangingRun({ http: { api: '/finalized' } })
    const patch = (finalizers: string[]) =>
      admin.patch(hostRequestKind, { name, namespace }, { metadata: { finalizers } })
    await patch(['example.com/kept'])
    await admin.delete(hostRequestKind, { name, namespace })
    await abandoned()
    web['worker-1'].answer = (response) => response.end()
    await settle()
    expect(received('/finalized')).toEqual([1, 0])
    await patch([])
  })

  test('one that is deleted and made again between two looks at it is another one', async () => {
    const name = newName()
    // Of a safe method: its progress is written while it is under way.
    const sketch = { http: { api: '/remade', method: 'GET' }, parallelism: 1 } as const
    web['worker-2'].answer = () => undefined
    let remade = false
    operator.client.onStatusWrite = async ({ metadata, status }, write) => {
      if (metadata.name === name && status?.progress === '1/2' && !remade) {
        remade = true
        await admin.delete(hostRequestKind, metadata)
        await apply(name, sketch)
        web['worker-2'].answer = (response) => response.end()
      }
      return write()
    }
    await apply(name, { ...sketch, timeoutSeconds: 60 })
    await eventually('worker-2 has lost the connection', () => web['worker-2'].abandoned === 1)
    expect(await finished(name)).toMatchObject({ state: 'SUCCESS', progress: '2/2' })
    await settle()
    expect(received('/remade')).toEqual([2, 2])
  })

  test('somebody who edits labels all the time costs no outcome and no second delivery', async () => {
    const name = newName()
    const nodes = numbered(12, 'edited')
    await using many = await Receiver.start({ address: fleetAddress, port: web['worker-1'].port })
    many.answer = (response) => response.writeHead(many.received.length === 10 ? 503 : 200).end()
    await using _ = await fleet(nodes, fleetAddress)
    const claims: string[] = []
    operator.client.onStatusWrite = async ({ metadata, status }, write) => {
      const told = `${status?.state} ${status?.run.claim}`
      const tries = claims.filter((claim) => claim === told).length
      // The first two of: the beginning, the first claim, its commit with the second claim, the end.
      if (metadata.name !== name || tries === 2) return write()
      const labels = { edited: `${claims.length}` }
      await admin.patch(hostRequestKind, { name, namespace }, { metadata: { labels } })
      claims.push(told)
      return write()
    }
    await apply(name, { workers: nodes, parallelism: 1 })
    expect(await finished(name)).toMatchObject({
      ...{ counts: { succeeded: 11, failed: 1, unknown: 0 }, failed: '9' },
      failures: [{ host: 'edited-009', code: 503 }],
    })
    expect(claims).toEqual(['RUNNING ', 'RUNNING 0-7', 'RUNNING 8-11', 'ERROR '].flatMap((claim) => [claim, claim]))
    expect((await writes()).filter((write) => write.endsWith(`${name} 409`)).length).toBe(8)
    expect(new Set(many.received.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(12)
    expect(many.received.length).toBe(12)
  })

  test('a first write whose answer is lost is no interruption: nothing was sent', async () => {
    const name = newName()
    const lost: string[] = []
    operator.client.onStatusWrite = async ({ metadata, status }, write) => {
      await write()
      const state = status?.state ?? ''
      if (metadata.name !== name || lost.includes(state)) return
      lost.push(state)
      throw new ConnectionError({ code: 'ConnectionFailed', message: 'the answer is lost', retryable: true })
    }
    await apply(name)
    expect(await finished(name)).toMatchObject({ state: 'SUCCESS', progress: '2/2' })
    await eventually('both answers were lost', () => lost.join() === 'RUNNING,SUCCESS')
    await settle()
    expect(received('/')).toEqual([1, 1])
    expect(takeComplaints()).toMatchObject([
      ...['the answer is lost', 'the answer is lost'].map((message) => ({ err: { message } })),
    ])
  })

  test('of a safe method is told once a second at most', async () => {
    const name = newName()
    const nodes = numbered(12, 'slow')
    await using slow = await Receiver.start({
      ...{ address: fleetAddress, port: web['worker-1'].port },
      answer: (response) => setTimeout(() => response.end(), 200),
    })
    await using _ = await fleet(nodes, fleetAddress)
    const begun = performance.now()
    await apply(name, { workers: nodes, parallelism: 1, http: { method: 'GET' } })
    const seen = new Set<string>()
    await eventually('it has ended', async () => {
      const { status } = await requestNamed(name)
      seen.add(`${status?.state} ${status?.progress}`)
      return status?.state === 'SUCCESS'
    })
    const seconds = (performance.now() - begun) / 1_000
    const written = await statusWrites(name)
    expect(written).toBeLessThanOrEqual(Math.floor(seconds) + 2)
    expect(written).toBeGreaterThanOrEqual(3)
    expect(seen.size).toBeGreaterThanOrEqual(3)
    expect(slow.received.length).toBe(12)
  })

  test('of an unsafe method is told once a window, and twice more', async () => {
    const name = newName()
    const nodes = numbered(40, 'window')
    await using many = await Receiver.start({ address: fleetAddress, port: web['worker-1'].port })
    await using _ = await fleet(nodes, fleetAddress)
    await apply(name, { workers: nodes, parallelism: 1 })
    expect(await finished(name)).toMatchObject({ state: 'SUCCESS', progress: '40/40' })
    const written = await statusWrites(name)
    expect(written).toBeLessThanOrEqual(Math.ceil(40 / 8) + 2)
    // What is claimed must be written: with fewer, something was sent that was not.
    expect(written).toBeGreaterThanOrEqual(Math.ceil(40 / 8) + 1)
    expect(many.received.length).toBe(40)
  })

  test('what is sent is claimed on the API server, and nothing is sent before', async () => {
    const name = newName()
    const nodes = numbered(20, 'claim')
    await using many = await Receiver.start({ address: fleetAddress, port: web['worker-1'].port })
    await using _ = await fleet(nodes, fleetAddress)
    const claims: string[] = []
    const looked: Promise<void>[] = []
    many.answer = (response) => {
      looked.push(
        requestNamed(name).then(({ status }) => {
          claims.push(status?.run.claim ?? '')
          response.end()
        }),
      )
    }
    const before: number[] = []
    operator.client.onStatusWrite = async ({ metadata }, write) => {
      if (metadata.name === name) before.push(many.received.length)
      return write()
    }
    await apply(name, { workers: nodes, parallelism: 1 })
    expect(await finished(name)).toMatchObject({ state: 'SUCCESS' })
    await Promise.all(looked)
    expect(claims).toEqual(nodes.map((_name, index) => ['0-7', '8-15', '16-19'][Math.floor(index / 8)]))
    // The beginning, three claims, the end.
    expect(before).toEqual([0, 0, 8, 16, 20])
  })
})

describe('an operator that ends', () => {
  test('in a POST: what it was sending is unknown; who was only claimed is free, and gets it from the next one', async () => {
    const name = await hangingRun({ http: { api: '/interrupted' } })
    await operator.stop()
    await abandoned()
    const { status } = await requestNamed(name)
    expect(status).toMatchObject({ state: 'RUNNING', run: { claim: '0' } })
    web['worker-1'].answer = (response) => response.end()
    operator = await Operator.start()
    expect(await finished(name)).toMatchObject({
      ...{ state: 'ERROR', counts: { targets: 2, succeeded: 1, failed: 0, unknown: 1, skipped: 0 }, unknown: '0' },
      msg: '1/2 hosts answered; unknown: worker-1 (the operator ended before the answer came)',
      failures: [{ host: 'worker-1', reason: 'Interrupted' }],
      conditions: [{}, {}, { type: 'Stalled', status: 'True', reason: 'HostsFailed' }, {}],
      run: { claim: '', epoch: status!.run.epoch + 1 },
    })
    await settle()
    expect(received('/interrupted')).toEqual([1, 1])
  })

  test('while a POST is about to be answered: it waits for the answer, and nothing is unknown', async () => {
    const name = newName()
    const ended = Promise.withResolvers<void>()
    const patient = newName()
    web['worker-1'].answer = (response) => void ended.promise.then(() => response.end())
    await apply(patient, { parallelism: 1, http: { api: '/patient' } })
    await eventually('worker-1 has it', () => web['worker-1'].received.length === 1)
    const stopped = operator.stop()
    // Nothing new is begun meanwhile.
    await apply(name, { http: { api: '/later' } })
    ended.resolve()
    await stopped
    expect((await requestNamed(patient)).status).toMatchObject({ state: 'RUNNING', succeeded: '0', run: { claim: '' } })
    expect([received('/patient'), received('/later')]).toEqual([
      [1, 0],
      [0, 0],
    ])
    operator = await Operator.start()
    expect(await finished(patient)).toMatchObject({ state: 'SUCCESS', progress: '2/2' })
    expect(await finished(name)).toMatchObject({ state: 'SUCCESS', progress: '2/2' })
    expect([received('/patient'), received('/later')]).toEqual([
      [1, 1],
      [1, 1],
    ])
  })

  test('in a POST that may be sent again: the next one does, with the same key', async () => {
    const name = await hangingRun({ http: { api: '/resent' }, onUnknown: 'Resend' })
    await operator.stop()
    await abandoned()
    web['worker-1'].answer = (response) => response.end()
    operator = await Operator.start()
    expect(await finished(name)).toMatchObject({ state: 'SUCCESS', progress: '2/2' })
    await settle()
    expect(received('/resent')).toEqual([2, 1])
    const keys = web['worker-1'].received.filter(({ url }) => url === '/resent').map((one) => one.idempotencyKey)
    expect(keys[0]).toMatch(/[/]0[/]/)
    expect(keys[1]).toBe(keys[0])
  })

  test('in a POST to very many: the next one sends to the rest of those that were frozen', async () => {
    const name = newName()
    const nodes = numbered(300, `${'very-'.repeat(10)}long.name`)
    await using many = await Receiver.start({ address: fleetAddress, port: web['worker-1'].port })
    many.answer = () => undefined
    await using _ = await fleet(nodes, fleetAddress)
    // A name cannot be made of this one.
    await apply(name, { workers: nodes, parallelism: 1, timeoutSeconds: 60, runToken: 'Of-the_day.' })
    await eventually('the first one has it', () => many.received.length === 1)
    await operator.stop()
    const { metadata, status } = await requestNamed(name)
    expect(status?.run).toMatchObject({ claim: '0', targets: { digest: expect.any(String) } })
    expect(status?.run.targets.names).toBeUndefined()
    const configMap = status?.run.targets.configMap ?? ''
    expect(JSON.parse(await kubectl('get', 'configmap', configMap, '--output=json'))).toMatchObject({
      immutable: true,
      metadata: { ownerReferences: [{ kind: 'HostRequest', name, uid: metadata.uid, controller: true }] },
    })
    expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThan(8 * 1024)

    await admin.delete(kinds.Node, { name: nodes[299]! })
    many.answer = (response) => response.end()
    operator = await Operator.start()
    expect(await finished(name)).toMatchObject({
      ...{ state: 'ERROR', progress: '298/299', succeeded: '1-298', unknown: '0', skipped: '299' },
      ...{ failures: [{ host: nodes[0], reason: 'Interrupted' }], run: { targets: { configMap } } },
      msg: expect.stringContaining(`skipped: ${nodes[299]} (offline)`),
    })
    expect(new Set(many.received.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1 + 298)
    expect(many.received.length).toBe(1 + 298)
  })

  test('in a GET: the next one begins again', async () => {
    const name = await hangingRun({ http: { api: '/again', method: 'GET' } })
    await operator.stop()
    await abandoned()
    web['worker-1'].answer = (response) => response.end()
    operator = await Operator.start()
    expect(await finished(name)).toMatchObject({ state: 'SUCCESS', progress: '2/2' })
    expect(received('/again')).toEqual([2, 1])
  })

  test('finds its inventory out of date when it is back, and brings it up to date before it sends', async () => {
    await operator.stop()
    await register('late', lateAddress)
    await setReady('worker-2', false)
    await using late = await Receiver.start({ address: lateAddress, port: web['worker-1'].port })
    const name = newName()
    await apply(name, { workers: ['worker-1', 'worker-2', 'late'] })

    const before = (await asked()).length
    const { promise: hostGate, resolve } = Promise.withResolvers<void>()
    operator = await Operator.start(hostGate)
    await eventually('it knows all requests', async () =>
      (await asked()).slice(before).some((line) => line.startsWith('watch hostrequests')),
    )
    // By now it would have looked at the request.
    for (let trips = 0; trips < 5; trips++) await requestNamed(name)
    expect(await asked()).not.toContain(`get hostrequests  ${name} 200`)
    resolve()

    expect(await finished(name)).toMatchObject({
      ...{ state: 'SUCCESS', msg: '2/2 hosts answered; skipped: worker-2 (offline)' },
    })
    expect([...received('/'), late.received.length]).toEqual([1, 0, 1])
    await setReady('worker-2', true)
    await admin.delete(kinds.Node, { name: 'late' })
    await onlineAgain()
  })
})

test('a fleet at rest makes no writes, however often its agents are asked, nor does an operator that starts', async () => {
  await settle()
  const before = await writes()
  const enough = agent.received.length + 6
  await eventually('the agent was asked some times more', () => agent.received.length >= enough)
  // One connection for all of it.
  expect(agent.open.size).toBe(1)
  await operator.stop()
  operator = await Operator.start()
  await eventually('the agent was asked again', () => agent.received.length >= enough + 3)
  const done = (await writes()).slice(before.length)
  expect(done.filter((write) => !write.includes(' leases '))).toEqual([])
})

test('an API server that is away costs a run neither its outcome nor a second delivery', async () => {
  const name = await hangingRun({ http: { api: '/away' } })
  await cluster.killApiServer()
  const { promise: answered, resolve } = Promise.withResolvers<void>()
  web['worker-2'].answer = (response) => {
    response.end()
    resolve()
  }
  for (const socket of web['worker-1'].open) socket.destroy()
  await answered
  await cluster.startApiServer()
  expect(await finished(name)).toMatchObject({ state: 'ERROR', counts: { succeeded: 1, unknown: 1 } })
  expect(received('/away')).toEqual([1, 1])
  // Here it had something to complain of.
  log.length = 0
})
