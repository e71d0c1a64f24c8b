import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Host, HostRequest, HostRequestSpec, HostRequestStatus } from '@keelson/api'
import { keyOf, kinds, KubeClient } from '@keelson/kube'
import { applyManifests, ControlPlane, eventually } from '@keelson/testbed'
import type { z } from 'zod'
import { hostKind, hostRequestKind } from '../kinds.ts'

const account = { namespace: 'keelson-system', name: 'keelson-operator' }

/** Where requests of tests are. */
export const namespace = 'default'

export type NodeSketch = {
  readonly address: string
  /** Default true. */
  readonly ready?: boolean
  readonly labels?: Readonly<Record<string, string>>
}

export type RequestSketch = Partial<Omit<z.input<typeof HostRequestSpec>, 'workers' | 'http'>> & {
  readonly workers?: readonly string[]
  readonly http?: Partial<z.input<typeof HostRequestSpec>['http']>
}

type AuditEvent = {
  readonly user: { readonly username: string }
  readonly verb: string
  readonly objectRef?: { readonly resource: string; readonly name?: string; readonly subresource?: string }
  readonly responseStatus?: { readonly code: number }
}

export function condition({ status }: Host, type: string): string | undefined {
  return status?.conditions.find((found) => found.type === type)?.status
}

export const numbered = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(3, '0')}`)

/** A control plane with all that a user installs, and no operator yet. Nodes are only what the API server says of them. */
export class TestCluster implements AsyncDisposable {
  readonly controlPlane: ControlPlane
  readonly admin: KubeClient
  /** Of the operator's own account. */
  readonly kubeconfig: string
  /** What requests have that say nothing else. */
  defaults: RequestSketch = {}
  readonly #stack: AsyncDisposableStack
  /** Names of Nodes that are Ready, as far as tests have not made some of their own. */
  readonly #online = new Set<string>()
  #requests = 0
  #inForce: Promise<unknown> = Promise.resolve()

  private constructor(controlPlane: ControlPlane, admin: KubeClient, kubeconfig: string, stack: AsyncDisposableStack) {
    this.controlPlane = controlPlane
    this.admin = admin
    this.kubeconfig = kubeconfig
    this.#stack = stack
  }

  static async start(): Promise<TestCluster> {
    await using stack = new AsyncDisposableStack()
    const controlPlane = stack.use(await ControlPlane.start({ controllerManager: false }))
    const admin = stack.use(await KubeClient.fromKubeconfig(controlPlane.adminKubeconfig, { fieldManager: 'test' }))
    const kubeconfig = await controlPlane.serviceAccountKubeconfig(account.namespace, account.name)
    const cluster = new TestCluster(controlPlane, admin, kubeconfig, stack.move())
    try {
      await cluster.install()
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
    return cluster
  }

  /** What a user installs, or what is missing or different of it. */
  async install(): Promise<void> {
    await applyManifests(this.controlPlane)
    // From when on the operator takes requests for judged.
    this.#inForce = sleep(5_100)
  }

  async kubectl(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.controlPlane.kubectl(args)
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  async register(name: string, { address, ready = true, labels = {} }: NodeSketch): Promise<void> {
    await this.admin.create(kinds.Node, { metadata: { name, labels } })
    const status = { addresses: [{ type: 'InternalIP', address }] }
    await this.admin.patch(kinds.Node, { name }, { status }, { subresource: 'status' })
    await this.setReady(name, ready)
  }

  async setReady(name: string, ready: boolean): Promise<void> {
    const is = { status: ready ? 'True' : 'Unknown', reason: ready ? 'KubeletReady' : 'NodeStatusUnknown' }
    const conditions = [{ type: 'Ready', ...is, lastTransitionTime: '2026-01-02T12:00:00Z' }]
    await this.admin.patch(kinds.Node, { name }, { status: { conditions } }, { subresource: 'status' })
    if (ready) this.#online.add(name)
    else this.#online.delete(name)
  }

  async unregister(name: string): Promise<void> {
    this.#online.delete(name)
    await this.admin.delete(kinds.Node, { name })
  }

  /** Nodes that are one machine, for tests to which their number matters. Gone at the end. */
  async fleet(names: readonly string[], address: string): Promise<AsyncDisposable> {
    // Some at a time: each is several requests.
    for (let from = 0; from < names.length; from += 20)
      await Promise.all(names.slice(from, from + 20).map(async (name) => this.register(name, { address })))
    await this.online()
    return {
      [Symbol.asyncDispose]: async () => {
        const { items } = await this.admin.list(kinds.Node)
        const there = items.map(keyOf).filter((name) => names.includes(name))
        for (const name of names) this.#online.delete(name)
        for (const name of there) await this.unregister(name)
        await this.online()
      },
    }
  }

  /** Waits until the operator sees the Nodes as they are. */
  async online(): Promise<void> {
    const wanted = [...this.#online].toSorted().join()
    await eventually(
      `${this.#online.size} Hosts are online, no others`,
      async () => {
        const { items } = await this.admin.list(hostKind)
        const found = items.filter((host) => condition(host, 'Online') === 'True').map(keyOf)
        return found.toSorted().join() === wanted
      },
      20_000,
    )
  }

  async hostNamed(name: string): Promise<Host> {
    return this.admin.get(hostKind, { name })
  }

  newName(): string {
    return `request-${++this.#requests}`
  }

  /** Once the policy is in force. */
  async apply(name: string, sketch: RequestSketch = {}): Promise<HostRequest> {
    await this.#inForce
    return this.applyAtOnce(name, sketch)
  }

  async applyAtOnce(name: string, sketch: RequestSketch = {}): Promise<HostRequest> {
    const { workers = [], http = {}, ...rest } = { ...this.defaults, ...sketch }
    const spec = {
      ...rest,
      workers: workers.map((worker) => ({ name: worker })),
      http: { api: '/', method: 'POST', ...this.defaults.http, ...http },
    } as HostRequestSpec
    return this.admin.apply(hostRequestKind, { metadata: { name, namespace }, spec }, { force: true })
  }

  async requestNamed(name: string): Promise<HostRequest> {
    return this.admin.get(hostRequestKind, { name, namespace })
  }

  async finished(name: string, generation = 1, timeoutMs = 10_000): Promise<HostRequestStatus> {
    return eventually(
      `generation ${generation} of ${name} has ended`,
      async () => {
        const { status } = await this.requestNamed(name)
        const end = status?.conditions.find(({ type }) => type === 'Finished')
        return end?.status === 'True' && end.observedGeneration === generation ? status : undefined
      },
      timeoutMs,
    )
  }

  async send(sketch: RequestSketch = {}): Promise<HostRequestStatus> {
    const name = this.newName()
    await this.apply(name, sketch)
    return this.finished(name)
  }

  /** What the operator asked of the API server, as that saw it. */
  async asked(): Promise<string[]> {
    const user = `system:serviceaccount:${account.namespace}:${account.name}`
    const lines = (await readFile(this.controlPlane.auditLog, 'utf8')).split('\n').slice(0, -1)
    return lines
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter((event) => event.user.username === user)
      .map(({ verb, objectRef, responseStatus }) =>
        [verb, objectRef?.resource, objectRef?.subresource, objectRef?.name, responseStatus?.code].join(' '),
      )
  }

  /** What it wrote but for its Lease and Events. */
  async writes(): Promise<string[]> {
    return (await this.asked()).filter((line) => !/^(get|list|watch) | (leases|events) /.test(line))
  }

  async statusWrites(name: string): Promise<number> {
    return (await this.writes()).filter((write) => write === `update hostrequests status ${name} 200`).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}
