import type { Node } from '@keelson/kube'
import { addressFault, canonicalAddress, type AddressRules } from '../delivery/address.ts'
import { addressOf, roleOf } from './host-object.ts'

/** What the cluster itself says of its addresses. */
export type ClusterAddresses = Pick<AddressRules, 'serviceRanges'> & {
  /** Of API servers, canonical. */
  readonly apiServers: ReadonlySet<string>
}

/** Why a host may not be connected to at an address, as a sentence; undefined: it may. */
export type RefuseAddress = (host: string, address: string | undefined) => string | undefined

/**
 * Whether an address is a host's own. Kubelets write the addresses of their Nodes: one that points at the operator, at a service, at an API server or at
 * another host would have the operator send there what was meant for it.
 */
export class HostAddresses {
  readonly #allowLoopback: boolean
  readonly #cluster: () => ClusterAddresses
  readonly #addresses = new Map<string, string>()
  readonly #holders = new Map<string, Set<string>>()
  readonly #controlPlane = new Set<string>()

  /** @param cluster as it is now */
  constructor(allowLoopback: boolean, cluster: () => ClusterAddresses) {
    this.#allowLoopback = allowLoopback
    this.#cluster = cluster
  }

  /** To be told of every Node, and whenever one changes. */
  set(node: Node): void {
    const { name } = node.metadata
    this.delete(name)
    if (roleOf(node) === 'ControlPlane') this.#controlPlane.add(name)
    const address = canonicalAddress(addressOf(node) ?? '')
    if (address === undefined) return
    this.#addresses.set(name, address)
    const holders = this.#holders.get(address) ?? new Set()
    this.#holders.set(address, holders.add(name))
  }

  delete(name: string): void {
    this.#controlPlane.delete(name)
    const address = this.#addresses.get(name)
    if (address === undefined) return
    this.#addresses.delete(name)
    const holders = this.#holders.get(address)!
    holders.delete(name)
    if (holders.size === 0) this.#holders.delete(address)
  }

  readonly refuse: RefuseAddress = (host, address) => {
    if (address === undefined) return 'the Host has no InternalIP'
    const { serviceRanges, apiServers } = this.#cluster()
    const fault = addressFault(address, { allowLoopback: this.#allowLoopback, serviceRanges })
    if (fault !== undefined) return `the address ${address} is refused: it ${fault}, so no host's own`
    const canonical = canonicalAddress(address)!
    if (apiServers.has(canonical) && !this.#controlPlane.has(host))
      return `the address ${address} is refused: it is an API server's, and the Host has not the control-plane role`
    // Hosts of a test bed may be one machine.
    if (this.#allowLoopback && addressFault(canonical, { allowLoopback: false, serviceRanges: [] }) === 'is loopback')
      return undefined
    // The first two by name: whoever looks at either Host finds the other one.
    const [one, other] = [...(this.#holders.get(canonical) ?? [])].filter((name) => name !== host).toSorted()
    if (one === undefined) return undefined
    const more = other === undefined ? '' : ' and others'
    return `the address ${address} is refused: the Host ${one}${more} has it too`
  }
}
