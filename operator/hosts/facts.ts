import { agentPort, Facts } from '@keelson/api'
import { deliver } from '../delivery/deliver.ts'
import type { HostPools } from '../delivery/host-pools.ts'

export type FactsAnswer = { readonly facts: Facts } | { readonly reason: string; readonly message: string }

const timeoutMs = 5_000
const maxTypes = 64

/** Asks the agent of a host for its facts. What went wrong is a value, for a condition. */
export async function askFacts(
  pools: HostPools,
  host: string,
  address: string,
  signal: AbortSignal,
): Promise<FactsAnswer> {
  const endpoint = { host, address, port: agentPort, scheme: 'https' } as const
  const delivery = await deliver(
    pools,
    endpoint,
    { method: 'GET', path: '/v1/facts', parameters: [], timeoutMs, use: 'Spare' },
    signal,
  )
  if (!delivery.answered) return failed(delivery.failure)
  if (delivery.statusCode !== 200)
    return { reason: 'AgentRefused', message: `the agent answered HTTP ${delivery.statusCode}` }
  const parsed = Facts.safeParse(parseJson(delivery.body))
  // The number of types is a bound of the CRD only; over it the API server would refuse the whole status.
  if (parsed.success && Object.keys(parsed.data.types).length <= maxTypes) return { facts: parsed.data }
  return {
    reason: 'AgentUnsupported',
    message: 'the agent speaks another protocol version: operator and agent work one minor version apart',
  }
}

function failed({ reason, message }: { readonly reason: string; readonly message: string }): FactsAnswer {
  if (reason === 'CertificateRevoked') return { reason, message }
  return { reason: 'AgentUnreachable', message: `the agent does not answer: ${message}` }
}

function parseJson(body: Buffer): unknown {
  try {
    // Half a surrogate pair does not come back from the API server as it was sent: the status would be written for ever.
    return JSON.parse(body.toString('utf8'), (_, value: unknown) =>
      typeof value === 'string' ? value.toWellFormed() : value,
    )
  } catch {
    return undefined
  }
}
