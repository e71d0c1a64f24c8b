import { agentPort, type Host } from '@keelson/api'
import type { Leadership } from '@keelson/kube'
import type { WriteOrder } from '../delivery/write-order.ts'
import type { RefuseAddress } from '../hosts/host-addresses.ts'
import { internalAddress } from '../hosts/host-object.ts'
import type { AgentEndpoint } from './agent-connection.ts'
import { Signing, type SigningOptions } from './signing.ts'

export type OpenSigningOptions = Pick<SigningOptions, 'client' | 'hosts' | 'agentLifetimeMs' | 'logger' | 'metrics'> & {
  readonly order: WriteOrder
  readonly refuseAddress: RefuseAddress
}

/** The signing side of a term, which connects to agents as requests do. */
export async function openSigning(options: OpenSigningOptions, leadership: Leadership): Promise<Signing> {
  const { order, refuseAddress, ...rest } = options
  const endpointOf = ({ metadata: { name: host }, status }: Host): AgentEndpoint | undefined => {
    const address = internalAddress(status?.addresses ?? [])
    return address === undefined || refuseAddress(host, address) !== undefined
      ? undefined
      : { host, address, port: agentPort }
  }
  const writeHeaders = () => {
    leadership.assertHeld()
    return order.headers()
  }
  const now = () => new Date()
  return Signing.open({ ...rest, endpointOf, writeHeaders, now, random: Math.random }, leadership.signal)
}
