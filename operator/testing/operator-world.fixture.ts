import { agentPort, type HostRequest, type HostRequestStatus } from '@keelson/api'
import { KubeClient, loadKubeconfig } from '@keelson/kube'
import { CertificateAuthority, eventually } from '@keelson/testbed'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { runOperator } from '../operator.ts'
import { loopbackAddress } from './addresses.ts'
import { Receiver } from './receiver.ts'
import { TestCluster, type RequestSketch } from './test-cluster.fixture.ts'

/** An address for each, and a web server on the same port of all. */
export const machines = ['worker-1', 'worker-2', 'control', 'offline'] as const
export type Machine = (typeof machines)[number]
export const addressOf = (name: Machine) => loopbackAddress(machines.indexOf(name) + 1)
/** Of Nodes that are one machine. */
export const fleetAddress = loopbackAddress(20)

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

type LogLine = { readonly level: number; readonly msg: string; readonly err?: { readonly message: string } }
type Running = { readonly stop: AbortController; readonly end: Promise<void>; readonly clients: readonly KubeClient[] }

/** Machines, a cluster, and the operator in this process with the rights of its account and no others. */
export class OperatorWorld implements AsyncDisposable {
  readonly cluster: TestCluster
  readonly web: Readonly<Record<Machine, Receiver>>
  /** Of worker-1; the others have none. */
  readonly agent: Receiver
  /** Of the operator that was started last. */
  client!: WatchedClient
  readonly #tls: { ca: string; certificate: string; key: string }
  readonly #stack: AsyncDisposableStack
  readonly #log: LogLine[] = []
  #running: Running | undefined

  private constructor(
    parts: Pick<OperatorWorld, 'cluster' | 'web' | 'agent'>,
    tls: { ca: string; certificate: string; key: string },
    stack: AsyncDisposableStack,
  ) {
    this.cluster = parts.cluster
    this.web = parts.web
    this.agent = parts.agent
    this.#tls = tls
    this.#stack = stack
  }

  static async start(): Promise<OperatorWorld> {
    await using stack = new AsyncDisposableStack()
    const cluster = stack.use(await TestCluster.start())
    const authority = await CertificateAuthority.create('agents')
    const pair = await authority.issue({
      subject: 'CN=operator',
      dnsNames: ['request.keelson.dev'],
      usages: ['client'],
    })
    let port = 0
    const web: Partial<Record<Machine, Receiver>> = {}
    for (const name of machines) {
      web[name] = stack.use(await Receiver.start({ address: addressOf(name), port }))
      ;({ port } = web[name])
    }
    const agent = stack.use(await startAgent(authority))
    cluster.defaults = { workers: ['worker-1', 'worker-2'], http: { port } }
    for (const name of machines) {
      const labels: Record<string, string> =
        name === 'control' ? { 'node-role.kubernetes.io/control-plane': '' } : { zone: 'a' }
      await cluster.register(name, { address: addressOf(name), ready: name !== 'offline', labels })
    }
    const parts = { cluster, agent, web: web as Record<Machine, Receiver> }
    const world = new OperatorWorld(parts, { ...pair, ca: authority.certificate }, stack.move())
    await world.startOperator()
    await cluster.online()
    return world
  }

  /** As it is before each test. */
  quiet(): void {
    for (const receiver of Object.values(this.web)) {
      receiver.received.length = 0
      receiver.abandoned = 0
      receiver.answer = (response) => response.end()
    }
    this.client.onStatusWrite = async (_, write) => write()
  }

  async startOperator(hostGate?: Promise<void>): Promise<void> {
    const connection = { ...(await loadKubeconfig(this.cluster.kubeconfig)), fieldManager: 'keelson-operator' }
    const client = new WatchedClient(connection)
    const electionClient = new KubeClient(connection)
    if (hostGate !== undefined) client.hostGate = hostGate
    const logger = pino({ base: null }, { write: (line: string) => this.#log.push(JSON.parse(line) as LogLine) })
    // Longer than an API server of these tests is away.
    const leaseTimes = { leaseMs: 60_000, renewDeadlineMs: 50_000, retryMs: 1_000 }
    const options = { client, electionClient, leaseTimes, tls: this.#tls, logger, allowLoopback: true }
    const stop = new AbortController()
    const end = runOperator({ ...options, factsIntervalMs: 500, drainMs: 200 }, stop.signal)
    end.catch(() => undefined)
    this.client = client
    this.#running = { stop, end, clients: [client, electionClient] }
  }

  async stopOperator(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    running?.stop.abort()
    await running?.end
    await Promise.all(running?.clients.map(async (client) => client.close()) ?? [])
  }

  /** What it has warned of since it was asked last. */
  takeComplaints(): LogLine[] {
    return this.#log.splice(0).filter(({ level }) => level >= 40)
  }

  /** What each machine received on a path. */
  received(path: string, on: readonly Machine[] = ['worker-1', 'worker-2']): number[] {
    return on.map((name) => this.web[name].received.filter(({ url }) => url === path).length)
  }

  /**
   * Until a request that came later is through. The operator takes requests in the order of their changes, so whatever it were to send by
   * mistake would have come by then.
   */
  async settle(): Promise<void> {
    const status: HostRequestStatus = await this.cluster.send({ http: { api: '/settle' } })
    if (status.state !== 'SUCCESS') throw new Error(`it does not settle: ${status.msg}`)
  }

  /** A run that hangs at worker-1, the first of its hosts. */
  async hangingRun(sketch: RequestSketch = {}): Promise<string> {
    const name = this.cluster.newName()
    this.web['worker-1'].answer = () => undefined
    await this.cluster.apply(name, { parallelism: 1, timeoutSeconds: 60, ...sketch })
    await eventually('worker-1 has it', () => this.web['worker-1'].received.length === 1)
    return name
  }

  async abandoned(): Promise<void> {
    await eventually('worker-1 has lost the connection', () => this.web['worker-1'].abandoned === 1, 2_000)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopOperator()
    await this.#stack.disposeAsync()
  }
}

/** A fake agent that answers every GET with facts. */
async function startAgent(authority: CertificateAuthority): Promise<Receiver> {
  const name = 'worker-1'
  const pair = await authority.issue({ subject: `CN=${name}`, dnsNames: [name], usages: ['server'] })
  const facts = {
    ...{ protocol: 1, agentVersion: '0.1.0', hostname: name, kernelVersion: '6.1.0', bootID: 'b0' },
    ...{ architecture: 'x86_64', os: { id: 'debian', versionID: '12', name: 'Debian \ud800' } },
    types: { sysctl: 1, hostname: 1 },
  }
  return Receiver.start({
    ...{ address: addressOf(name), port: agentPort, answer: (response) => response.end(JSON.stringify(facts)) },
    tls: { cert: pair.certificate, key: pair.key, ca: authority.certificate, requestCert: true },
  })
}

/** A world for all tests of a file, quiet before each. Whatever a test does to it, an operator at work has nothing to complain of. */
export function operatorWorld(): { readonly world: OperatorWorld } {
  let world: OperatorWorld | undefined
  beforeAll(async () => {
    world = await OperatorWorld.start()
  })
  afterAll(async () => world?.[Symbol.asyncDispose]())
  beforeEach(() => world?.quiet())
  afterEach(() => expect(world?.takeComplaints()).toEqual([]))
  return {
    get world(): OperatorWorld {
      return world!
    },
  }
}
