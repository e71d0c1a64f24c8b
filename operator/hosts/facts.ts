import { agentPort, Facts } from '@keelson/api'
import { deliver } from '../delivery/deliver.ts'
import type { HostPools } from '../delivery/host-pools.ts'

export type FactsAnswer = { readonly facts: Facts } | { readonly reason: string; readonly message: string }

const timeoutMs = 5_000

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
    { method: 'GET', path: '/v1/facts', parameters: [], timeoutMs },
    signal,
  )
  if (!delivery.answered)
    return { reason: 'AgentUnreachable', message: `the agent does not answer: ${delivery.failure.message}` }
  if (delivery.statusCode !== 200)
    return { reason: 'AgentRefused', message: `the agent answered HTTP ${delivery.statusCode}` }
  const parsed = Facts.safeParse(parseJson(delivery.body))
  if (parsed.success) return { facts: parsed.data }
  return {
    reason: 'AgentUnsupported',
    message: 'the agent speaks another protocol version: operator and agent work one minor version apart',
  }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
