import { defineKind, kinds, type KubeClient, type KubernetesObject } from '@keelson/kube'
import type { Host } from '../hosts/host.ts'

export type Role = 'control-plane' | 'worker'

type Lease = KubernetesObject & {
  readonly spec: { holderIdentity: string; leaseDurationSeconds: number; renewTime: string }
}

const leaseKind = defineKind<Lease>({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
})

/** Well below the shortened grace period of the test world's controller manager. */
const renewIntervalMs = 3_000

/**
 * Stands in for the kubelet of a host, which does not run here: registers the Node as a kubelet would and, as long as the host is up,
 * renews its Lease. A host that is powered off turns its Node Unknown after the controller manager's grace period, as a real one does.
 */
export class NodeStandIn implements Disposable {
  readonly #client: KubeClient
  readonly #host: Host
  readonly #timer: NodeJS.Timeout

  private constructor(client: KubeClient, host: Host) {
    this.#client = client
    this.#host = host
    // A renewal that fails is made up for by the next one, as a kubelet does it.
    this.#timer = setInterval(() => void this.#renew().catch(() => {}), renewIntervalMs)
  }

  static async register(client: KubeClient, host: Host, role: Role): Promise<NodeStandIn> {
    const labels = {
      'kubernetes.io/hostname': host.name,
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'amd64',
      ...(role === 'control-plane' ? { 'node-role.kubernetes.io/control-plane': '' } : {}),
    }
    await client.apply(kinds.Node, { metadata: { name: host.name, labels } }, { force: true })
    const standIn = new NodeStandIn(client, host)
    await standIn.#renew()
    return standIn
  }

  async #renew(): Promise<void> {
    if (!this.#host.isUp) return
    const { name, address } = this.#host
    const now = new Date().toISOString()
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: now.replace('Z', '000Z') }
    await this.#client.apply(leaseKind, { metadata: { name, namespace: 'kube-node-lease' }, spec }, { force: true })
    const addresses = [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: name },
    ]
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      message: 'stand-in for a kubelet',
      lastHeartbeatTime: now,
    }
    const status = { addresses, conditions: [ready] }
    await this.#client.apply(kinds.Node, { metadata: { name }, status }, { force: true, subresource: 'status' })
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
