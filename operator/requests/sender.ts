import { agentPort, parseSuccessCodes, type HostRequestSpec } from '@keelson/api'
import { boundedText } from '../bounded-text.ts'
import { deliver, type Delivery } from '../delivery/deliver.ts'
import { agentWords, writeToAgent, type AgentPorts } from './agent-protocol.ts'
import type { RefuseAddress } from '../hosts/host-addresses.ts'
import type { Redact } from '../secrets/redaction.ts'
import type { RequestParameters } from '../secrets/request-parameters.ts'
import type { Outcome, Unsuccessful } from './outcome.ts'

type Target = {
  readonly host: string
  /** The address that the request is sent to; not checked yet. Undefined where the Host has none. */
  readonly address: string | undefined
  /** Tells this delivery from every other: the same one again bears the same. */
  readonly idempotencyKey: string
}

/** Sends the request to one target. Failures are outcomes; rejects only if the signal is aborted, and with SupersededError. */
export type Deliver = (target: Target, signal: AbortSignal) => Promise<Outcome>

const messageLimit = 256

export type SenderPorts = AgentPorts & { readonly refuseAddress: RefuseAddress }

type Http = HostRequestSpec['http']

/**
 * Sends the request of a spec to one target and judges the answer.
 *
 * @param show what is kept of the body of an answer, to be shown; absent: nothing is.
 */
export function sender(
  spec: HostRequestSpec,
  ports: SenderPorts,
  { parameters, secrets }: RequestParameters,
  show?: (body: Uint8Array) => string,
): Deliver {
  const { http, timeoutSeconds } = spec
  const isSuccess = parseSuccessCodes(http.successCodes)
  const scheme = schemeOf(http)
  const request = {
    method: http.method,
    path: http.api,
    parameters,
    timeoutMs: timeoutSeconds * 1_000,
  }
  return async ({ host, address, idempotencyKey }, signal) => {
    const message = ports.refuseAddress(host, address)
    if (address === undefined || message !== undefined)
      return unsuccessful({
        outcome: 'failed',
        reason: 'AddressRefused',
        message: message ?? 'the Host has no address',
      })
    const endpoint = { host, address, port: http.port, scheme }
    const headers: Readonly<Record<string, string>> = isSafe(http) ? {} : { 'idempotency-key': idempotencyKey }
    const delivery =
      !isSafe(http) && isForAgent(http)
        ? await writeToAgent(ports, endpoint, { ...request, idempotencyKey }, signal)
        : await deliver(ports.pools, endpoint, { ...request, headers }, signal)
    const outcome = judge(delivery, http, isSuccess, secrets?.redact)
    if (show === undefined || !delivery.answered) return outcome
    return { ...outcome, answer: { code: delivery.statusCode, body: show(delivery.body) } }
  }
}

export function schemeOf({ scheme, port }: HostRequestSpec['http']): 'http' | 'https' {
  return scheme ?? (port === agentPort ? 'https' : 'http')
}

/** RFC 9110, 9.2.1: asks for nothing to be done, so it may be sent again. */
export function isSafe({ method }: Http): boolean {
  return method === 'GET'
}

function isForAgent({ port }: Http): boolean {
  return port === agentPort
}

/** Whether a repeated delivery may do something again, so that a target must be written down before it is sent to. An agent knows one by its key. */
export function needsClaim(http: Http): boolean {
  return !isSafe(http) && !isForAgent(http)
}

function judge(delivery: Delivery, http: Http, isSuccess: (code: number) => boolean, redact?: Redact): Outcome {
  if (!delivery.answered) {
    const { unanswered, ...failure } = delivery.failure
    if (!unanswered || isSafe(http)) return unsuccessful({ outcome: 'failed', ...failure })
    const message = `${failure.message}; the host may have got the request`
    return unsuccessful({ outcome: 'unknown', ...failure, message })
  }
  const { statusCode: code } = delivery
  if (isSuccess(code)) return { outcome: 'succeeded' }
  const told = isForAgent(http) ? agentWords(delivery.body) : undefined
  const words = told === undefined ? '' : ` ${told.code}: ${told.message}`
  const message = `HTTP ${code}${redact ? redact(words) : words}`
  const outcome = told !== undefined && isOpen.has(told.code) ? 'unknown' : 'failed'
  const reason = told !== undefined && (isOpen.has(told.code) || isUndone.has(told.code)) ? told.code : 'HTTPStatus'
  return unsuccessful({ outcome, reason, code, message })
}

/** The agent was ended between the intent and the answer of an earlier delivery with this very key; it is still at it when our time is over. */
const isOpen: ReadonlySet<string> = new Set(['OutcomeUnknown', 'InFlight'])

/** The agent did nothing, and would do it if it came again. */
const isUndone: ReadonlySet<string> = new Set([
  ...['Busy', 'AgentStopping', 'NoSpace', 'NotRecorded', 'Superseded', 'OrderMissing', 'IdempotencyKeyReused'],
])

/** Cut at once, not in the status only: thousands of long ones would be held until the end of the run. */
function unsuccessful(outcome: Unsuccessful): Unsuccessful {
  return { ...outcome, message: boundedText(outcome.message, messageLimit) }
}
