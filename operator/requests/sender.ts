import { agentPort, AgentError, parseSuccessCodes, type HostRequestSpec } from '@keelson/api'
import { boundedText } from '../bounded-text.ts'
import { deliver, type Delivery } from '../delivery/deliver.ts'
import type { HostPools } from '../delivery/host-pools.ts'
import type { Outcome, Unsuccessful } from './outcome.ts'

type Target = {
  readonly host: string
  /** The address that the request is sent to; not checked yet. Undefined where the Host has none. */
  readonly address: string | undefined
  /** Tells this delivery from every other: the same one again bears the same. */
  readonly idempotencyKey: string
}

/** Sends the request to one target. Failures are outcomes; rejects only if the signal is aborted. */
export type Deliver = (target: Target, signal: AbortSignal) => Promise<Outcome>

const messageLimit = 256

/**
 * Sends the request of a spec to one target and judges the answer.
 *
 * @param show what is kept of the body of an answer, to be shown; absent: nothing is.
 */
export function sender(
  spec: HostRequestSpec,
  pools: HostPools,
  mayConnect: (address: string) => boolean,
  show?: (body: Uint8Array) => string,
): Deliver {
  const { http, timeoutSeconds } = spec
  const isSuccess = parseSuccessCodes(http.successCodes)
  const scheme = schemeOf(http)
  const request = {
    method: http.method,
    path: http.api,
    parameters: http.parameters,
    timeoutMs: timeoutSeconds * 1_000,
  }
  return async ({ host, address, idempotencyKey }, signal) => {
    if (address === undefined || !mayConnect(address)) return refused(address)
    const headers = isSafe(http.method) ? {} : { 'idempotency-key': idempotencyKey }
    const delivery = await deliver(pools, { host, address, port: http.port, scheme }, { ...request, headers }, signal)
    const outcome = judge(delivery, http, isSuccess)
    if (show === undefined || !delivery.answered) return outcome
    return { ...outcome, answer: { code: delivery.statusCode, body: show(delivery.body) } }
  }
}

export function schemeOf({ scheme, port }: HostRequestSpec['http']): 'http' | 'https' {
  return scheme ?? (port === agentPort ? 'https' : 'http')
}

/** RFC 9110, 9.2.1: asks for nothing to be done, so it may be sent again. */
export function isSafe(method: HostRequestSpec['http']['method']): boolean {
  return method === 'GET'
}

function refused(address: string | undefined): Outcome {
  const message =
    address === undefined
      ? 'the Host has no InternalIP'
      : `the address ${address} is refused: no host of a cluster has it`
  return unsuccessful({ outcome: 'failed', reason: 'AddressRefused', message })
}

function judge(
  delivery: Delivery,
  { method, port }: HostRequestSpec['http'],
  isSuccess: (code: number) => boolean,
): Outcome {
  if (!delivery.answered) {
    const { unanswered, ...failure } = delivery.failure
    if (!unanswered || isSafe(method)) return unsuccessful({ outcome: 'failed', ...failure })
    const message = `${failure.message}; the host may have got the request`
    return unsuccessful({ outcome: 'unknown', ...failure, message })
  }
  const { statusCode: code } = delivery
  if (isSuccess(code)) return { outcome: 'succeeded' }
  const told = port === agentPort ? agentWords(delivery.body) : undefined
  const message = told === undefined ? `HTTP ${code}` : `HTTP ${code} ${told.code}: ${told.message}`
  // The agent was ended between the intent and the answer of an earlier delivery with this very key.
  if (told?.code === 'OutcomeUnknown') return unsuccessful({ outcome: 'unknown', reason: told.code, code, message })
  return unsuccessful({ outcome: 'failed', reason: 'HTTPStatus', code, message })
}

/** Cut at once, not in the status only: thousands of long ones would be held until the end of the run. */
function unsuccessful(outcome: Unsuccessful): Unsuccessful {
  return { ...outcome, message: boundedText(outcome.message, messageLimit) }
}

/** An agent says what was wrong, over a connection that proved who it is. What others answer is not repeated: it may be anything. */
function agentWords(body: Buffer): AgentError | undefined {
  try {
    return AgentError.safeParse(JSON.parse(body.toString('utf8'))).data
  } catch {
    return undefined
  }
}
