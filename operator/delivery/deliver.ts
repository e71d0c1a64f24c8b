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
  /** What is left of that, where earlier attempts have taken a part; default: all of it. What runs out of it is told by the whole, so that equal failures have equal words. */
  readonly leftMs?: number
  /**
   * The receiver may get the request twice without harm; default: GET. It may go over a connection that was used before, and is repeated once
   * over a fresh one where that turns out to be dead. Whatever may not be repeated has a fresh connection: on a kept one to a host that
   * is gone it is written into the void and nobody knows what became of it, a new connection just does not come about.
   */
  readonly repeatable?: boolean
  /** Of a request that may be repeated; default Kept. */
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

/** A connection that was used before and brings no answer for so long is taken for dead, if there is a way to ask again. */
const suspicionMs = 2_000

/** Sends one request to one host. A failure is a value; only an abort by `signal` throws. */
export async function deliver(
  pools: HostPools,
  endpoint: Endpoint,
  request: DeliveryRequest,
  signal: AbortSignal,
): Promise<Delivery> {
  signal.throwIfAborted()
  using deadline = new Deadline(request.timeoutMs, signal, request.leftMs)
  const { repeatable = request.method === 'GET', use = 'Kept' } = request
  const message = messageOf(request)
  const silenceMs = request.repeatable === true ? Math.min(suspicionMs, request.timeoutMs / 2) : undefined
  const once = (by: Use, limitMs?: number) => attempt({ pools, endpoint, message, deadline, signal }, by, limitMs)
  const first = await once(repeatable ? use : 'Fresh', silenceMs)
  if (first.delivery.answered || !first.reused || deadline.remainingMs === 0) return first.delivery
  const { unanswered, code } = first.delivery.failure
  if (code !== undefined) return first.delivery
  const { delivery: second } = await once('Fresh')
  // Most likely the host was gone before. But it may also have been cut off just after it got the request, and act on it.
  if (second.answered || second.failure.unanswered) return second
  return { answered: false, failure: { ...second.failure, unanswered } }
}

type Attempt = { readonly delivery: Delivery; readonly reused: boolean }

type Course = {
  readonly pools: HostPools
  readonly endpoint: Endpoint
  readonly message: Message
  readonly deadline: Deadline
  readonly signal: AbortSignal
}

/** @param silenceMs how long a connection that was used before may bring no answer */
async function attempt(
  { pools, endpoint, message, deadline, signal }: Course,
  use: Use,
  silenceMs: number | undefined,
): Promise<Attempt> {
  const progress: Progress = { sent: false }
  let reused = false
  try {
    using lease = await pools.lease(endpoint, use, deadline)
    reused = lease.reused
    const limitMs = reused ? silenceMs : undefined
    const { statusCode, headers, body } = await exchange(lease.connection, message, deadline, progress, limitMs)
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
