import type { Readable } from 'node:stream'
import { abortable } from '@keelson/kube'
import { DecoratorHandler, type Dispatcher } from 'undici'
import type { Endpoint, HostPools } from './host-pools.ts'
import { messageOf, type Request } from './message.ts'

export type DeliveryRequest = Request & {
  /** From the call to the last byte of the answer, connecting included; whole milliseconds. */
  readonly timeoutMs: number
}

type DeliveryFailure = {
  /** For programs: one CamelCase word. */
  readonly reason: 'ConnectFailed' | 'TLSFailed' | 'Timeout' | 'ConnectionLost' | 'AnswerTooLarge' | 'AddressRefused'
  readonly message: string
  /** HTTP status, where at least the start of an answer came. */
  readonly code?: number
  /** The host may have got the request, and what it did with it is not known. False: it certainly did not, or it answered. */
  readonly unanswered: boolean
}

export type Delivery =
  | { readonly answered: true; readonly statusCode: number; readonly body: Buffer }
  | { readonly answered: false; readonly failure: DeliveryFailure }

/** What is read of an answer; a longer one counts as a failure, so that 5,000 of them fit in memory. */
const answerLimit = 64 * 1024

/** Sends one request to one host, once. A failure is a value; only an abort by `signal` throws. */
export async function deliver(
  pools: HostPools,
  endpoint: Endpoint,
  request: DeliveryRequest,
  signal: AbortSignal,
): Promise<Delivery> {
  signal.throwIfAborted()
  const deadline = AbortSignal.timeout(request.timeoutMs)
  const either = AbortSignal.any([signal, deadline])
  let sent = false
  const sending = () => {
    sent = true
  }
  try {
    using fresh = request.method === 'GET' ? undefined : pools.fresh(endpoint)
    const dispatcher = watched(fresh?.dispatcher ?? pools.kept(endpoint), sending)
    // While a request waits for a connection undici does not heed its signal. It does before sending: what was given up is not sent later.
    return await abortable(exchange(dispatcher, request, either), either)
  } catch (error) {
    pools.forget(endpoint)
    signal.throwIfAborted()
    if (!deadline.aborted) return describe(error, sent)
    return failed('Timeout', `no ${sent ? 'whole answer' : 'connection'} within ${request.timeoutMs / 1_000} s`, sent)
  }
}

/** Tells of the moment before the first byte is written: what fails earlier has certainly not reached the host. */
function watched(dispatcher: Dispatcher, sending: () => void): Dispatcher {
  return dispatcher.compose((dispatch) => (options, handler) => dispatch(options, new Watch(handler, sending)))
}

class Watch extends DecoratorHandler {
  readonly #handler: Dispatcher.DispatchHandler
  readonly #sending: () => void

  constructor(handler: Dispatcher.DispatchHandler, sending: () => void) {
    super(handler)
    this.#handler = handler
    this.#sending = sending
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#sending()
    this.#handler.onRequestStart?.(controller, context)
  }
}

async function exchange(dispatcher: Dispatcher, request: DeliveryRequest, signal: AbortSignal): Promise<Delivery> {
  // The only deadline is the signal's.
  const timeouts = { headersTimeout: 0, bodyTimeout: 0 }
  const { statusCode, body } = await dispatcher.request({ ...messageOf(request), ...timeouts, signal })
  const content = await readBounded(body)
  if (content !== undefined) return { answered: true, statusCode, body: content }
  const text = `answered HTTP ${statusCode} and more than ${answerLimit / 1024} KiB`
  return { answered: false, failure: { reason: 'AnswerTooLarge', message: text, code: statusCode, unanswered: false } }
}

/** Undefined where there is more; leaving the loop closes the connection. */
async function readBounded(stream: Readable): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > answerLimit) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function failed(reason: DeliveryFailure['reason'], text: string, unanswered: boolean): Delivery {
  return { answered: false, failure: { reason, message: text, unanswered } }
}

/** What Node and undici call the ways in which a connection does not come about; the words are for whoever looks for the cause. */
const connectCodes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: nothing listens on the port',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  EHOSTDOWN: 'host down',
  ETIMEDOUT: 'no connection: the host does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'no connection within 5 s: the host does not answer',
}

/** Codes of OpenSSL's alerts and of X.509 verification, as Node gives them on. */
const tlsCodes =
  /^(EPROTO$|ERR_SSL|ERR_TLS|ERR_OSSL|CERT_|CRL_|DEPTH_|UNABLE_TO|SELF_SIGNED|ERROR_IN|INVALID_|PATH_LENGTH|HOSTNAME_)/

function describe(error: unknown, sent: boolean): Delivery {
  const { code = '', message: text = String(error) } = error as { code?: string; message?: string }
  const why = `${text}${code === '' ? '' : ` (${code})`}`
  // With TLS 1.3 a server refuses our certificate only after we have sent; it has not read the request then.
  if (tlsCodes.test(code)) return failed('TLSFailed', `TLS: ${why}`, false)
  if (sent) return failed('ConnectionLost', `connection lost: ${why}`, true)
  return failed('ConnectFailed', connectCodes[code] ?? `no connection: ${why}`, false)
}
