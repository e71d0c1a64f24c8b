import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Endpoint, HostPools } from './host-pools.ts'

export type DeliveryRequest = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly parameters: readonly { readonly key: string; readonly value: string }[]
  /** From the call to the last byte of the answer. */
  readonly timeoutMs: number
}

export type DeliveryFailure = {
  /** For programs: one CamelCase word. */
  readonly reason: 'ConnectFailed' | 'TLSFailed' | 'Timeout' | 'ConnectionLost' | 'AnswerTooLarge' | 'AddressRefused'
  readonly message: string
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
  const deadline = AbortSignal.timeout(request.timeoutMs)
  try {
    return await exchange(pools.for(endpoint), request, AbortSignal.any([signal, deadline]))
  } catch (error) {
    pools.forget(endpoint)
    signal.throwIfAborted()
    if (deadline.aborted) return failed('Timeout', `no whole answer within ${request.timeoutMs / 1_000} s`)
    return describe(error)
  }
}

async function exchange(dispatcher: Dispatcher, request: DeliveryRequest, signal: AbortSignal): Promise<Delivery> {
  // The deadline of the whole is the signal's; these two only must not come before it.
  const timeouts = { headersTimeout: request.timeoutMs, bodyTimeout: request.timeoutMs }
  const { statusCode, body } = await dispatcher.request({ ...message(request), ...timeouts, signal })
  const content = await readBounded(body)
  if (content === undefined) return failed('AnswerTooLarge', `answered more than ${answerLimit / 1024} KiB`)
  return { answered: true, statusCode, body: content }
}

function message({
  method,
  path,
  parameters,
}: DeliveryRequest): Pick<Dispatcher.RequestOptions, 'method' | 'path' | 'headers' | 'body'> {
  const entries = parameters.map(({ key, value }): [string, string] => [key, value])
  if (method === 'GET') {
    const query = new URLSearchParams(entries).toString()
    return { method, path: query === '' ? path : `${path}?${query}` }
  }
  const body = JSON.stringify(Object.fromEntries(entries))
  return { method, path, headers: { 'content-type': 'application/json' }, body }
}

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

function failed(reason: DeliveryFailure['reason'], text: string): Delivery {
  return { answered: false, failure: { reason, message: text } }
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

function describe(error: unknown): Delivery {
  const { code = '', message: text = String(error) } = error as { code?: string; message?: string }
  const known = connectCodes[code]
  if (known !== undefined) return failed('ConnectFailed', known)
  const tls = tlsCodes.test(code)
  if (tls) return failed('TLSFailed', `TLS: ${text} (${code})`)
  return failed('ConnectionLost', `connection lost: ${text}${code === '' ? '' : ` (${code})`}`)
}
