import { agentPort, type HostRequest, type HostRequestSpec, type HostRequestStatus } from '@keelson/api'
import { KubeClient, loadKubeconfig } from '@keelson/kube'
import { CertificateAuthority, eventually } from '@keelson/testbed'
import { pino } from 'pino'
import type { ClientCertificate } from '../delivery/host-pools.ts'
import { OperatorMetrics } from '../metrics/operator-metrics.ts'
import { runOperator } from '../operator.ts'
import { loopbackAddress } from './addresses.ts'
import { Receiver } from './receiver.ts'
import { TestCluster, type RequestSketch } from './test-cluster.fixture.ts'

type LogLine = { readonly level: number; readonly msg: string; readonly err?: { readonly message: string } }

/** The operator's own client, in whose deletions something can come between. */
class WatchedClient extends KubeClient {
  beforeDelete: () => Promise<void> = async () => undefined

  override async delete(...deletion: Parameters<KubeClient['delete']>): Promise<void> {
    await this.beforeDelete()
    await super.delete(...deletion)
  }
}

/** A control plane, Nodes whose web servers are receivers on loopback addresses, and the operator in this process, with its own rights only. */
export class RequestWorld implements AsyncDisposable {
  readonly cluster: TestCluster
  readonly log: LogLine[] = []
  readonly metrics = new OperatorMetrics()
  /** By name of the Node. */
  readonly receivers = new Map<string, Receiver>()
  readonly #stack = new AsyncDisposableStack()
  readonly #authority: CertificateAuthority
  readonly #tls: ClientCertificate
  #operator:
    | { readonly stop: AbortController; readonly end: Promise<void>; readonly clients: readonly WatchedClient[] }
    | undefined

  private constructor(cluster: TestCluster, authority: CertificateAuthority, tls: ClientCertificate) {
    this.cluster = this.#stack.use(cluster)
    this.#authority = authority
    this.#tls = tls
  }

  static async start(nodes: readonly string[]): Promise<RequestWorld> {
    const authority = await CertificateAuthority.create('agents')
    const pair = await authority.issue({ subject: 'CN=operator', usages: ['client'] })
    const world = new RequestWorld(await TestCluster.start(), authority, { ...pair, ca: authority.certificate })
    let port = 0
    for (const [index, name] of nodes.entries()) {
      const address = loopbackAddress(index + 1)
      const receiver = world.#stack.use(await Receiver.start({ address, port }))
      ;({ port } = receiver)
      world.receivers.set(name, receiver)
      await world.cluster.register(name, { address })
    }
    world.cluster.defaults = { workers: nodes, http: { port } }
    await world.startOperator()
    await world.cluster.online()
    return world
  }

  /** A stand-in for the agent of a Node, which shows its own certificate and asks for the operator's. */
  async startAgent(name: string): Promise<Receiver> {
    const { certificate, key } = await this.#authority.issue({
      ...{ subject: `CN=${name}`, dnsNames: [name], usages: ['server'] },
    })
    const address = loopbackAddress([...this.receivers.keys()].indexOf(name) + 1)
    const tls = { cert: certificate, key, ca: this.#authority.certificate, requestCert: true, rejectUnauthorized: true }
    return this.#stack.use(await Receiver.start({ address, port: agentPort, tls }))
  }

  async startOperator(): Promise<void> {
    const connection = { ...(await loadKubeconfig(this.cluster.kubeconfig)), fieldManager: 'keelson-operator' }
    const client = new WatchedClient(connection)
    const electionClient = new WatchedClient(connection)
    const stop = new AbortController()
    const logger = pino(
      { base: null, level: 'trace' },
      { write: (line: string) => this.log.push(JSON.parse(line) as LogLine) },
    )
    const { metrics } = this
    const options = {
      client,
      electionClient,
      tls: this.#tls,
      logger,
      metrics,
      allowLoopback: true,
      factsIntervalMs: 60_000,
    }
    const end = runOperator(options, stop.signal)
    end.catch(() => undefined)
    this.#operator = { stop, end, clients: [client, electionClient] }
  }

  async stopOperator(): Promise<void> {
    const operator = this.#operator
    this.#operator = undefined
    operator?.stop.abort()
    await operator?.end
    await Promise.all(operator?.clients.map((client) => client.close()) ?? [])
  }

  /** What comes between each look at a request and its deletion. */
  beforeDelete(comesBetween: () => Promise<void>): void {
    for (const client of this.#operator?.clients ?? []) client.beforeDelete = comesBetween
  }

  async restartOperator(): Promise<void> {
    await this.stopOperator()
    await this.startOperator()
  }

  async kubectl(...args: string[]): Promise<string> {
    return this.cluster.kubectl(...args)
  }

  /** To all hosts, as a POST with its own name as path, unless told otherwise. */
  async create(sketch: RequestSketch): Promise<string> {
    const name = this.cluster.newName()
    await this.cluster.apply(name, { ...sketch, http: { api: `/${name}`, ...sketch.http } })
    return name
  }

  /** As `kubectl patch` does it in one line. */
  async patchSpec(name: string, spec: Partial<HostRequestSpec>): Promise<void> {
    await this.kubectl('patch', 'hostrequest', name, '--type=merge', '--patch', JSON.stringify({ spec }))
  }

  async get(name: string): Promise<HostRequest> {
    return this.cluster.requestNamed(name)
  }

  /** Its status once that is in this state and about its present generation. */
  async reaches(name: string, state: HostRequestStatus['state']): Promise<HostRequestStatus> {
    const present = async () => {
      const { metadata, status } = await this.get(name)
      return status?.state === state && status.observedGeneration === metadata.generation ? status : undefined
    }
    return eventually(`${name} is ${state}`, present, 20_000)
  }

  async send(sketch: RequestSketch): Promise<HostRequestStatus> {
    return this.cluster.finished(await this.create(sketch), 1, 20_000)
  }

  /** How often each host got the request of this name, by the order of the hosts. */
  received(name: string): number[] {
    return [...this.receivers.values()].map(
      ({ received }) => received.filter(({ url }) => url.split('?')[0] === `/${name}`).length,
    )
  }

  /** What the operator had to complain of, since this was last asked. */
  complaints(): LogLine[] {
    return this.log.splice(0).filter(({ level }) => level >= 40)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopOperator()
    await this.#stack.disposeAsync()
  }
}
