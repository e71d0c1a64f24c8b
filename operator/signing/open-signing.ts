import { agentPort, type Host } from '@keelson/api'
import type { Leadership } from '@keelson/kube'
import { addressCheck } from '../delivery/address.ts'
import type { AgentEndpoint } from './agent-connection.ts'
import { Signing, type SigningOptions } from './signing.ts'

export type OpenSigningOptions = Pick<SigningOptions, 'client' | 'hosts' | 'agentLifetimeMs' | 'logger' | 'metrics'> & {
  readonly allowLoopback: boolean
}

/** The signing side of a term, which connects to agents as requests do. */
export async function openSigning(options: OpenSigningOptions, leadership: Leadership): Promise<Signing> {
  const { allowLoopback, ...rest } = options
  const mayConnect = addressCheck({ allowLoopback })
  const endpointOf = ({ metadata, status }: Host): AgentEndpoint | undefined => {
    const address = status?.addresses.find(({ type }) => type === 'InternalIP')?.address
    if (address === undefined || !mayConnect(address)) return undefined
    return { host: metadata.name, address, port: agentPort }
  }
  const writeHeaders = () => {
    leadership.assertHeld()
    return {}
  }
  const now = () => new Date()
  return Signing.open({ ...rest, endpointOf, writeHeaders, now, random: Math.random }, leadership.signal)
}
