import { isDeepStrictEqual } from 'node:util'
import type { Host, HostStatus } from '@keelson/api'
import { NotFoundError, type KubeClient, type Node, type ReadonlyStore } from '@keelson/kube'
import { hostKind } from '../kinds.ts'
import type { FactsAnswer } from './facts.ts'
import { hostLabels, hostStatus } from './host-object.ts'

export type HostControllerOptions = {
  readonly client: KubeClient
  readonly nodes: ReadonlyStore<Node>
  readonly hosts: ReadonlyStore<Host>
  /** What the agent of a host said last. */
  readonly answer: (name: string) => FactsAnswer | undefined
  readonly now: () => Date
}

/** Keeps one Host for every Node. Everything is compared before it is written: a fleet at rest costs no writes. */
export class HostController {
  readonly #options: HostControllerOptions

  constructor(options: HostControllerOptions) {
    this.#options = options
  }

  /** The key is the name of a Node and of its Host. */
  async reconcile(name: string, signal: AbortSignal): Promise<void> {
    const { nodes, hosts, answer, now } = this.#options
    const node = nodes.get(name)
    const known = hosts.get(name)
    if (node !== undefined) {
      const host = await this.#ensure(node, known, signal)
      await this.#writeStatus(host, hostStatus(node, answer(name), host.status, now()), signal)
    } else if (known !== undefined) await this.#remove(known, signal)
  }

  /** Whether nothing is left to do for this name, as far as it is known: what a Host tells can be relied on. */
  isSettled(name: string): boolean {
    const { nodes, hosts, answer, now } = this.#options
    const node = nodes.get(name)
    const host = hosts.get(name)
    if (node === undefined || host === undefined) return node === undefined && host === undefined
    return (
      isDeepStrictEqual(host.metadata.labels ?? {}, hostLabels(node, host)) &&
      isDeepStrictEqual(host.status, hostStatus(node, answer(name), host.status, now()))
    )
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

  async #writeStatus(host: Host, status: HostStatus, signal: AbortSignal): Promise<void> {
    if (isDeepStrictEqual(host.status, status)) return
    await this.#options.client.updateStatus(hostKind, { metadata: host.metadata, status }, {}, signal)
  }
}
