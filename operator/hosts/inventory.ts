import type { Host } from '@keelson/api'
import { keyOf, type Node, type Reflector } from '@keelson/kube'
import type { Logger } from 'pino'
import type { ClusterAddressesPoller } from './cluster-addresses.ts'
import { settle } from './settle.ts'

/** At the start, for Hosts to catch up with their Nodes. */
const settleTimeoutMs = 60_000

export type InventoryOptions = {
  readonly nodes: Reflector<Node>
  readonly hosts: Reflector<Host>
  readonly clusterAddresses: ClusterAddressesPoller
  /** Whether a Host follows its Node. */
  readonly isSettled: (name: string) => boolean
  readonly logger: Logger
}

/** The Hosts, once they can be relied on: half of them would look like unknown names, and those of yesterday like hosts that are online. */
export class Inventory {
  readonly #options: InventoryOptions

  constructor(options: InventoryOptions) {
    this.#options = options
  }

  async synced(stopped?: AbortSignal): Promise<void> {
    const { nodes, hosts, clusterAddresses, isSettled, logger } = this.#options
    await Promise.all([nodes.synced(stopped), hosts.synced(stopped), clusterAddresses.synced(stopped)])
    const names = new Set([...nodes.store.list(), ...hosts.store.list()].map(keyOf))
    const behind = await settle([...names], isSettled, settleTimeoutMs, stopped)
    if (behind.length === 0) return
    logger.warn({ hosts: behind.slice(0, 20), count: behind.length }, 'some Hosts do not follow their Nodes, going on')
  }
}
