import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HostRequest, HostRequestSpec, HostRequestStatus } from '@keelson/api'
import { kinds, KubeClient } from '@keelson/kube'
import { CertificateAuthority, ControlPlane, eventually } from '@keelson/testbed'
import { pino } from 'pino'
import type { z } from 'zod'
import type { ClientCertificate } from '../delivery/host-pools.ts'
import { hostKind, hostRequestKind } from '../kinds.ts'
import { runOperator } from '../operator.ts'
import { loopbackAddress } from './addresses.ts'
import { Receiver } from './receiver.ts'

const namespace = 'default'
const deploy = join(import.meta.dirname, '../../deploy')

export type RequestSketch = Partial<Omit<z.input<typeof HostRequestSpec>, 'workers' | 'http'>> & {
  readonly workers?: readonly string[]
  readonly http?: Partial<z.input<typeof HostRequestSpec>['http']>
}

type LogLine = { readonly level: number; readonly msg: string; readonly err?: { readonly message: string } }

/** A real API server, Nodes whose web servers are receivers on loopback addresses, and the operator, with its own rights only. */
export class RequestWorld implements AsyncDisposable {
  readonly cluster: ControlPlane
  readonly admin: KubeClient
  readonly log: LogLine[] = []
  /** By name of the Node. */
  readonly receivers = new Map<string, Receiver>()
  readonly #stack = new AsyncDisposableStack()
  readonly #kubeconfig: string
  readonly #tls: ClientCertificate
  #operator:
    { readonly stop: AbortController; readonly end: Promise<void>; readonly clients: readonly KubeClient[] } | undefined
  #requests = 0

  private constructor(cluster: ControlPlane, admin: KubeClient, kubeconfig: string, tls: ClientCertificate) {
    this.cluster = this.#stack.use(cluster)
    this.admin = this.#stack.use(admin)
    this.#kubeconfig = kubeconfig
    this.#tls = tls
  }

  static async start(nodes: readonly string[]): Promise<RequestWorld> {
    const cluster = await ControlPlane.start({ controllerManager: false })
    const admin = await KubeClient.fromKubeconfig(cluster.adminKubeconfig, { fieldManager: 'test' })
    const kubeconfig = await cluster.serviceAccountKubeconfig('keelson-system', 'keelson-operator')
    const authority = await CertificateAuthority.create('agents')
    const pair = await authority.issue({
      subject: 'CN=operator',
      dnsNames: ['request.keelson.dev'],
      usages: ['client'],
    })
    const world = new RequestWorld(cluster, admin, kubeconfig, { ...pair, ca: authority.certificate })
    for (const folder of ['admission', 'crds', 'rbac'])
      for (const file of await readdir(join(deploy, folder)))
        await world.kubectl('apply', '--server-side', '--filename', join(deploy, folder, file))
    await world.kubectl('wait', '--for=condition=Established', 'crd/hosts.keelson.dev', 'crd/hostrequests.keelson.dev')
    let port = 0
    for (const [index, name] of nodes.entries()) {
      const address = loopbackAddress(index + 1)
      const receiver = world.#stack.use(await Receiver.start({ address, port }))
      ;({ port } = receiver)
      world.receivers.set(name, receiver)
      await world.#register(name, address)
    }
    const inForce = sleep(6_000)
    await world.startOperator()
    await eventually('the hosts are online', async () => {
      const { items } = await admin.list(hostKind)
      const online = items.filter(({ status }) =>
        status?.conditions.some((one) => one.type === 'Online' && one.status === 'True'),
      )
      return online.length === nodes.length
    })
    // The operator takes no request for judged that was written sooner.
    await inForce
    return world
  }

  async startOperator(): Promise<void> {
    const connect = () => KubeClient.fromKubeconfig(this.#kubeconfig, { fieldManager: 'keelson-operator' })
    const [client, electionClient] = await Promise.all([connect(), connect()])
    const stop = new AbortController()
    const logger = pino({ base: null }, { write: (line: string) => this.log.push(JSON.parse(line) as LogLine) })
    const options = { client, electionClient, tls: this.#tls, logger, allowLoopback: true, factsIntervalMs: 60_000 }
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

  async restartOperator(): Promise<void> {
    await this.stopOperator()
    await this.startOperator()
  }

  async #register(name: string, address: string): Promise<void> {
    await this.admin.create(kinds.Node, { metadata: { name, labels: {} } })
    const conditions = [
      { type: 'Ready', status: 'True', reason: 'KubeletReady', lastTransitionTime: '2026-01-02T12:00:00Z' },
    ]
    const status = { addresses: [{ type: 'InternalIP', address }], conditions }
    await this.admin.patch(kinds.Node, { name }, { status }, { subresource: 'status' })
  }

  async kubectl(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.cluster.kubectl(args)
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  newName(): string {
    this.#requests += 1
    return `request-${this.#requests}`
  }

  /** To all hosts, `POST /`, unless told otherwise. */
  async create(sketch: RequestSketch, name = this.newName()): Promise<string> {
    const { workers = [...this.receivers.keys()], http = {}, ...rest } = sketch
    const [first] = this.receivers.values()
    const spec = {
      ...rest,
      workers: workers.map((worker) => ({ name: worker })),
      http: { port: first!.port, api: `/${name}`, method: 'POST', ...http },
    } as HostRequestSpec
    await this.admin.create(hostRequestKind, { metadata: { name, namespace }, spec })
    return name
  }

  /** As `kubectl patch` does it in one line. */
  async patchSpec(name: string, spec: Partial<HostRequestSpec>): Promise<void> {
    await this.kubectl('patch', 'hostrequest', name, '--type=merge', '--patch', JSON.stringify({ spec }))
  }

  async get(name: string): Promise<HostRequest> {
    return this.admin.get(hostRequestKind, { name, namespace })
  }

  /** Its status once that is in this state and about its present generation. */
  async reaches(name: string, state: HostRequestStatus['state']): Promise<HostRequestStatus> {
    return eventually(`${name} is ${state}`, async () => {
      const { metadata, status } = await this.get(name)
      return status?.state === state && status.observedGeneration === metadata.generation ? status : undefined
    })
  }

  async send(sketch: RequestSketch): Promise<HostRequestStatus> {
    const name = await this.create(sketch)
    return eventually(`${name} has ended`, async () => {
      const { status } = await this.get(name)
      return status?.conditions.some((one) => one.type === 'Finished' && one.status === 'True') ? status : undefined
    })
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
