import type { IncomingHttpHeaders } from 'node:http'
import { Deadline } from './deadline.ts'
import { DeliveryError, type DeliveryReason } from './delivery-error.ts'
import { answerLimit, exchange, type Progress } from './exchange.ts'
import type { Endpoint, HostPools, Use } from './host-pools.ts'
import { messageOf, type Message, type Request } from './message.ts'
import { wordsOf } from './open-socket.ts'

export type DeliveryRequest = Request & {
  /** From the call to the last byte of the answer, connecting included; milliseconds. */
  readonly timeoutMs: number
  /** Of a GET; default Kept. All else has a fresh connection. */
  readonly use?: Use
}

type DeliveryFailure = {
  /** For programs: one CamelCase word. */
  readonly reason: DeliveryReason | 'AnswerTooLarge'
  readonly message: string
  /** HTTP status, where at least the start of an answer came. */
  readonly code?: number
  /** The host may have got the request, and what it did with it is not known. False: it certainly did not, or it answered. */
  readonly unanswered: boolean
}

export type Delivery =
  | {
      readonly answered: true
      readonly statusCode: number
      readonly headers: IncomingHttpHeaders
      readonly body: Buffer
    }
  | { readonly answered: false; readonly failure: DeliveryFailure }

/** Sends one request to one host. A failure is a value; only an abort by `signal` throws. */
export async function deliver(
  pools: HostPools,
  endpoint: Endpoint,
  request: DeliveryRequest,
  signal: AbortSignal,
): Promise<Delivery> {
  signal.throwIfAborted()
  using deadline = new Deadline(request.timeoutMs, signal)
  const course = { pools, endpoint, message: messageOf(request), deadline, signal }
  const isSafe = request.method === 'GET'
  const first = await attempt(course, isSafe ? (request.use ?? 'Kept') : 'Fresh')
  if (first.delivery.answered || !first.reused || deadline.remainingMs === 0) return first.delivery
  // A connection that was kept may have been at its end already. What is not safe has never been on one.
  if (first.delivery.failure.code !== undefined) return first.delivery
  const { delivery } = await attempt(course, 'Fresh')
  return delivery
}

type Attempt = { readonly delivery: Delivery; readonly reused: boolean }

type Course = {
  readonly pools: HostPools
  readonly endpoint: Endpoint
  readonly message: Message
  readonly deadline: Deadline
  readonly signal: AbortSignal
}

async function attempt({ pools, endpoint, message, deadline, signal }: Course, use: Use): Promise<Attempt> {
  const progress: Progress = { sent: false }
  let reused = false
  try {
    using lease = await pools.lease(endpoint, use, deadline)
    reused = lease.reused
    const { statusCode, headers, body } = await exchange(lease.connection, message, deadline, progress)
    if (body !== undefined) return { reused, delivery: { answered: true, statusCode, headers, body } }
    const text = `answered HTTP ${statusCode} and more than ${answerLimit / 1024} KiB`
    return { reused, delivery: failed('AnswerTooLarge', text, { ...progress, sent: false }) }
  } catch (error) {
    pools.forget(endpoint)
    signal.throwIfAborted()
    return { reused, delivery: describe(error as Error, progress, reused) }
  }
}

function failed(reason: DeliveryFailure['reason'], message: string, { sent, statusCode }: Progress): Delivery {
  const code = statusCode === undefined ? {} : { code: statusCode }
  return { answered: false, failure: { reason, message, ...code, unanswered: sent } }
}

/**
 * With TLS 1.3 a server refuses our certificate only after we have sent; it has not read the request then. Its words for it, RFC 8446 6.2, as
 * OpenSSL names them: unknown_ca, bad_certificate, certificate_required …
 */
const certificateRefused = /^ERR_SSL_(TLSV1[3]?|SSLV3)_ALERT_(.*CERTIFICATE.*|UNKNOWN_CA|ACCESS_DENIED)$/

function describe(error: Error, progress: Progress, reused: boolean): Delivery {
  if (error instanceof DeliveryError) return failed(error.code, error.message, progress)
  const { code = '' } = error as NodeJS.ErrnoException
  if (!reused && certificateRefused.test(code))
    return failed('TLSFailed', `TLS: ${wordsOf(error)}`, { ...progress, sent: false })
  return failed('ConnectionLost', `connection lost: ${wordsOf(error)}`, progress)
}
