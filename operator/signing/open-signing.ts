import { setTimeout as sleep } from 'node:timers/promises'
import { agentPort, type Host } from '@keelson/api'
import { KubeError, type Leadership, type Node, type Reflector } from '@keelson/kube'
import type { WriteOrder } from '../delivery/write-order.ts'
import type { RefuseAddress } from '../hosts/host-addresses.ts'
import { internalAddress } from '../hosts/host-object.ts'
import type { AgentEndpoint } from './agent-connection.ts'
import { Signing, type SigningOptions } from './signing.ts'

export type OpenSigningOptions = Pick<SigningOptions, 'client' | 'hosts' | 'agentLifetimeMs' | 'logger' | 'metrics'> & {
  readonly nodes: Reflector<Node>
  readonly order: WriteOrder
  readonly refuseAddress: RefuseAddress
}

const retryMs = 1_000

/**
 * The signing side of a term, which connects to agents as requests do. An API server that is away, or has just started and knows no roles yet, is waited for.
 *
 * @throws AuthorityUnreadableError; the reason of the term's signal once that is aborted.
 */
export async function openSigning(options: OpenSigningOptions, leadership: Leadership): Promise<Signing> {
  const { nodes, order, refuseAddress, ...rest } = options
  const endpointOf = ({ metadata: { name: host }, status }: Host): AgentEndpoint | undefined => {
    const address = internalAddress(status?.addresses ?? [])
    return address === undefined || refuseAddress(host, address) !== undefined
      ? undefined
      : { host, nodeUid: nodes.store.get(host)?.metadata.uid, address, port: agentPort }
  }
  const writeHeaders = () => {
    leadership.assertHeld()
    return order.headers()
  }
  const now = () => new Date()
  for (;;) {
    try {
      return await Signing.open(
        { ...rest, endpointOf, endpointSources: [nodes], writeHeaders, now, random: Math.random },
        leadership.signal,
      )
    } catch (error) {
      leadership.signal.throwIfAborted()
      if (!(error instanceof KubeError)) throw error
      rest.logger.warn({ err: error }, 'certificates not read or written, will be tried again')
      await sleep(retryMs, undefined, { signal: leadership.signal })
    }
  }
}
