import { isDeepStrictEqual } from 'node:util'
import type { Host, HostStatus } from '@keelson/api'
import type { KubeClient, Node, ReadonlyStore, ReconcileResult } from '@keelson/kube'
import { NotFoundError } from '@keelson/kube'
import { addressCheck } from '../delivery/address.ts'
import type { HostPools } from '../delivery/host-pools.ts'
import { hostKind } from '../kinds.ts'
import { askFacts, type FactsAnswer } from './facts.ts'
import { hostLabels, hostStatus, offlineReason } from './host-object.ts'

export type HostControllerOptions = {
  readonly client: KubeClient
  readonly nodes: ReadonlyStore<Node>
  readonly hosts: ReadonlyStore<Host>
  readonly pools: HostPools
  readonly allowLoopback: boolean
  /** How often each agent is asked for its facts, in milliseconds. */
  readonly factsIntervalMs: number
  readonly now: () => Date
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/** Keeps one Host for every Node. Everything is compared before it is written: a fleet at rest costs no writes. */
export class HostController {
  readonly #options: HostControllerOptions
  readonly #mayConnect: (address: string) => boolean

  constructor(options: HostControllerOptions) {
    this.#options = options
    this.#mayConnect = addressCheck(options)
  }

  /** The key is the name of a Node and of its Host. */
  async reconcile(name: string, signal: AbortSignal): Promise<ReconcileResult | void> {
    const { nodes, hosts } = this.#options
    const node = nodes.get(name)
    const known = hosts.get(name)
    if (node === undefined) {
      if (known !== undefined) await this.#remove(known, signal)
      return
    }
    const host = await this.#ensure(node, known, signal)
    const status = hostStatus(node, await this.#ask(node, signal), host.status, this.#options.now())
    await this.#writeStatus(host, status, signal)
    return { requeueAfterMs: this.#interval() }
  }

  /** Spread over a fifth of the interval, so that a fleet that came up at once is not asked at once for ever. */
  #interval(): number {
    const { factsIntervalMs, random } = this.#options
    return factsIntervalMs * (0.9 + 0.2 * random())
  }

  async #remove({ metadata }: Host, signal: AbortSignal): Promise<void> {
    const preconditions = { uid: metadata.uid }
    await this.#options.client
      .delete(hostKind, { name: metadata.name }, { preconditions }, signal)
      .catch((error: unknown) => {
        if (!(error instanceof NotFoundError)) throw error
      })
  }

  async #ensure(node: Node, known: Host | undefined, signal: AbortSignal): Promise<Host> {
    const { client } = this.#options
    const { name } = node.metadata
    const labels = hostLabels(node, known)
    if (known === undefined) return client.create(hostKind, { metadata: { name, labels } }, {}, signal)
    if (isDeepStrictEqual(known.metadata.labels ?? {}, labels)) return known
    return client.update(hostKind, { ...known, metadata: { ...known.metadata, labels } }, {}, signal)
  }

  async #ask(node: Node, signal: AbortSignal): Promise<FactsAnswer | undefined> {
    if (offlineReason(node) !== undefined) return undefined
    const address = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address
    if (address === undefined) return undefined
    if (!this.#mayConnect(address))
      return { reason: 'AddressRefused', message: `the address ${address} is refused: no host of a cluster has it` }
    return askFacts(this.#options.pools, node.metadata.name, address, signal)
  }

  async #writeStatus(host: Host, status: HostStatus, signal: AbortSignal): Promise<void> {
    if (isDeepStrictEqual(host.status, status)) return
    await this.#options.client.updateStatus(hostKind, { metadata: host.metadata, status }, {}, signal)
  }
}
