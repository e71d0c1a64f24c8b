import { agentPort, AgentError, parseSuccessCodes, type HostRequestSpec } from '@keelson/api'
import type { Outcome } from '../requests/outcome.ts'
import type { Target } from '../requests/targets.ts'
import { deliver, type Delivery } from './deliver.ts'
import type { HostPools } from './host-pools.ts'

/** Sends the request of a spec to one target and judges the answer. */
export function sender(
  spec: HostRequestSpec,
  pools: HostPools,
  mayConnect: (address: string) => boolean,
): (target: Target, signal: AbortSignal) => Promise<Outcome> {
  const { http, timeoutSeconds } = spec
  const isSuccess = parseSuccessCodes(http.successCodes)
  const scheme = http.scheme ?? (http.port === agentPort ? 'https' : 'http')
  const request = {
    method: http.method,
    path: http.api,
    parameters: http.parameters,
    timeoutMs: timeoutSeconds * 1_000,
  }
  return async ({ host, address }, signal) => {
    if (address === undefined || !mayConnect(address)) {
      const message =
        address === undefined
          ? 'the Host has no InternalIP'
          : `the address ${address} is refused: no host of a cluster has it`
      return { host, succeeded: false, reason: 'AddressRefused', message }
    }
    const delivery = await deliver(pools, { host, address, port: http.port, scheme }, request, signal)
    return judge(host, delivery, isSuccess, http.port === agentPort)
  }
}

function judge(host: string, delivery: Delivery, isSuccess: (code: number) => boolean, fromAgent: boolean): Outcome {
  if (!delivery.answered) return { host, succeeded: false, ...delivery.failure }
  const { statusCode } = delivery
  if (isSuccess(statusCode)) return { host, succeeded: true }
  const told = fromAgent ? agentWords(delivery.body) : undefined
  const message = told === undefined ? `HTTP ${statusCode}` : `HTTP ${statusCode} ${told.code}: ${told.message}`
  return { host, succeeded: false, reason: 'HTTPStatus', code: statusCode, message }
}

/** An agent says what was wrong, over a connection that proved who it is. What others answer is not repeated: it may be anything. */
function agentWords(body: Buffer): AgentError | undefined {
  try {
    return AgentError.safeParse(JSON.parse(body.toString('utf8'))).data
  } catch {
    return undefined
  }
}
