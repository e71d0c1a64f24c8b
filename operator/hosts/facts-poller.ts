import { isDeepStrictEqual } from 'node:util'
import type { Node, ReadonlyStore, ReconcileResult } from '@keelson/kube'
import type { HostPools } from '../delivery/host-pools.ts'
import { askFacts, type FactsAnswer } from './facts.ts'
import type { RefuseAddress } from './host-addresses.ts'
import { agentAddress } from './host-object.ts'

export type FactsPollerOptions = {
  readonly nodes: ReadonlyStore<Node>
  readonly pools: HostPools
  readonly refuseAddress: RefuseAddress
  /** How often each agent is asked, in milliseconds. */
  readonly intervalMs: number
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Told when an agent answers otherwise than the last time; must not throw. */
  readonly changed: (name: string) => void
}

/**
 * Asks each agent from time to time and remembers what it said. Apart from the reconciling of Hosts: agents that hang, and be it all of them,
 * must not delay the news that a Node is not Ready any more.
 */
export class FactsPoller {
  readonly #options: FactsPollerOptions
  readonly #answers = new Map<string, FactsAnswer>()

  constructor(options: FactsPollerOptions) {
    this.#options = options
  }

  /** What the agent of this host answered last; undefined where it was not asked since its Node became Ready. */
  answer(name: string): FactsAnswer | undefined {
    return this.#answers.get(name)
  }

  /** The key is the name of a Node. One that becomes Ready comes here again by its own change. */
  async reconcile(name: string, signal: AbortSignal): Promise<ReconcileResult | void> {
    const node = this.#options.nodes.get(name)
    const address = node === undefined ? undefined : agentAddress(node)
    if (address === undefined) {
      this.#answers.delete(name)
      return
    }
    const answer = await this.#ask(name, address, signal)
    const same = isDeepStrictEqual(this.#answers.get(name), answer)
    this.#answers.set(name, answer)
    if (!same) this.#options.changed(name)
    return { requeueAfterMs: this.#interval() }
  }

  async #ask(name: string, address: string, signal: AbortSignal): Promise<FactsAnswer> {
    const message = this.#options.refuseAddress(name, address)
    if (message !== undefined) return { reason: 'AddressRefused', message }
    return askFacts(this.#options.pools, name, address, signal)
  }

  /** Spread over a fifth of the interval, so that a fleet that came up at once is not asked at once for ever. */
  #interval(): number {
    const { intervalMs, random } = this.#options
    return intervalMs * (0.9 + 0.2 * random())
  }
}
