import { kinds, type KubeClient, type Node } from '@keelson/kube'

export type NodeIdentity = { readonly name: string; readonly address: string }

/** The part of a kubelet that the rest of a cluster sees: its Node and that Node's Lease. */
export class NodeKeeper {
  readonly #client: KubeClient
  readonly #node: NodeIdentity
  #registered = false

  constructor(client: KubeClient, node: NodeIdentity) {
    this.#client = client
    this.#node = node
  }

  get registered(): boolean {
    return this.#registered
  }

  /**
   * Registers the Node at first, and from then on renews the Lease and says Ready wherever the Node does not. As with a kubelet, a Node that somebody
   * deletes stays away until the next start.
   *
   * @throws KubeError
   */
  async tick(): Promise<void> {
    if (!this.#registered) {
      await this.#register()
      this.#registered = true
    }
    await this.#renewLease()
    const { name } = this.#node
    if (!isReady(await this.#client.get(kinds.Node, { name }))) await this.#sayReady()
  }

  async #register(): Promise<void> {
    const { name } = this.#node
    const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' }
    await this.#client.apply(kinds.Node, { metadata: { name, labels } }, { force: true })
  }

  async #renewLease(): Promise<void> {
    const { name } = this.#node
    const renewTime = new Date().toISOString().replace('Z', '000Z')
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime }
    const metadata = { name, namespace: 'kube-node-lease' }
    await this.#client.apply(kinds.Lease, { metadata, spec }, { force: true })
  }

  async #sayReady(): Promise<void> {
    const { name, address } = this.#node
    const now = new Date().toISOString()
    const addresses = [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: name },
    ]
    const ready = {
      ...{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'stand-in for a kubelet' },
      ...{ lastHeartbeatTime: now, lastTransitionTime: now },
    }
    const status = { addresses, conditions: [ready] }
    await this.#client.apply(kinds.Node, { metadata: { name }, status }, { force: true, subresource: 'status' })
  }
}

function isReady(node: Node): boolean {
  return node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
}
