import { readFile } from 'node:fs/promises'
import { Agent, type Dispatcher } from 'undici'
import { abortable } from './abortable.ts'
import type { ClientConfiguration } from './configuration.ts'
import { Deadline } from './deadline.ts'
import { ConnectionError, errorFromAnswer, KubeError, UnauthorizedError } from './errors.ts'
import { noMetrics, type MetricsSink } from './metrics.ts'

export interface TransportOptions extends ClientConfiguration {
  readonly userAgent: string
  /** From the call to the last byte of the answer, waiting for a free connection included. */
  readonly requestTimeoutMs: number
  readonly metrics?: MetricsSink
}

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  /** Sent as JSON. */
  readonly body?: unknown
  readonly contentType?: string
  /** The object is a Secret. */
  readonly secret?: boolean
}

const connectTimeoutMs = 5_000
/** An overloaded API server lets a request wait for 15 s before it answers 429. */
const headersTimeoutMs = 30_000
const bodyTimeoutMs = 30_000
const maxConnections = 32
const maxAnswerBytes = 128 * 1024 * 1024
const maxErrorBytes = 1024 * 1024

/** HTTP under the client: connections, credentials, deadlines, and every failure as a KubeError. */
export class Transport {
  readonly #options: TransportOptions
  readonly #origin: string
  readonly #basePath: string
  readonly #requests: Agent
  readonly #watches: Agent

  /** @throws KubeError `ServerRefused` where the server is not an https URL. */
  constructor(options: TransportOptions) {
    const url = URL.parse(options.server)
    if (url?.protocol !== 'https:' || url.username !== '' || url.search !== '') {
      throw new KubeError({
        code: 'ServerRefused',
        message: 'server: must be https://host:port, without user or query',
      })
    }
    this.#options = options
    this.#origin = url.origin
    this.#basePath = url.pathname.replace(/\/$/, '')
    const { ca, serverName, credentials } = options
    const shared = {
      // Over HTTP/2 all watches and requests of a pool would share one connection and its flow control.
      allowH2: false,
      pipelining: 1,
      // Shorter than the 90 s after which the server closes an idle connection, so that we never write into one it is closing.
      keepAliveTimeout: 60_000,
      connect: {
        timeout: connectTimeoutMs,
        ...(ca === undefined ? {} : { ca }),
        ...(serverName === undefined ? {} : { servername: serverName }),
        ...(credentials.certificate === undefined ? {} : { cert: credentials.certificate, key: credentials.key }),
      },
    }
    this.#requests = new Agent({ ...shared, connections: maxConnections, maxResponseSize: maxAnswerBytes })
    this.#watches = new Agent(shared)
  }

  /** Sends one request and returns the JSON of a 2xx answer. */
  async request(request: TransportRequest, signal?: AbortSignal): Promise<unknown> {
    const { requestTimeoutMs } = this.#options
    const what = `${request.method} ${request.path}`
    using deadline = new Deadline(
      requestTimeoutMs,
      () =>
        new ConnectionError({
          code: 'DeadlineExceeded',
          message: `${what}: no complete answer within ${requestTimeoutMs} ms`,
          retryable: true,
        }),
      signal,
    )
    try {
      const timeouts = { headersTimeout: headersTimeoutMs, bodyTimeout: bodyTimeoutMs }
      const answer = await this.#send(this.#requests, request, { ...timeouts, signal: deadline.signal })
      return parse(await answer.body.text(), what)
    } catch (error) {
      throw failure(error, what, signal)
    }
  }

  /**
   * Opens a stream on a connection of its own. The promise settles with the headers; the chunks must be iterated or the signal aborted, else the
   * connection stays. There is no deadline for the body: who reads knows how long silence may last.
   */
  async stream(request: TransportRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const what = `${request.method} ${request.path}`
    try {
      const timeouts = { headersTimeout: headersTimeoutMs, bodyTimeout: 0 }
      const answer = await this.#send(this.#watches, request, { ...timeouts, signal })
      return chunks(answer.body, what, signal)
    } catch (error) {
      throw failure(error, what, signal)
    }
  }

  /** Ends watches at once and lets requests in flight finish; each has its deadline. */
  async close(): Promise<void> {
    await Promise.all([this.#watches.destroy(), this.#requests.close()])
  }

  async #send(
    agent: Agent,
    request: TransportRequest,
    options: { headersTimeout: number; bodyTimeout: number; signal: AbortSignal },
  ): Promise<Dispatcher.ResponseData> {
    const token = await this.#token(options.signal)
    const { tokenSource } = this.#options.credentials
    try {
      return await this.#sendOnce(agent, request, options, token)
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || token === undefined || tokenSource === undefined) throw error
      // Nothing was carried out: it was refused before.
      tokenSource.refused(token)
      const another = await this.#token(options.signal)
      if (another === token) throw error
      return this.#sendOnce(agent, request, options, another)
    }
  }

  async #sendOnce(
    agent: Agent,
    request: TransportRequest,
    options: { headersTimeout: number; bodyTimeout: number; signal: AbortSignal },
    token: string | undefined,
  ): Promise<Dispatcher.ResponseData> {
    const { method, path, query = {}, body } = request
    const search = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, value)
    const sent = agent.request({
      ...options,
      origin: this.#origin,
      path: `${this.#basePath}${path}${search.size === 0 ? '' : `?${search.toString()}`}`,
      method,
      headers: {
        accept: 'application/json',
        'user-agent': this.#options.userAgent,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    })
    // While a request waits for a connection undici does not heed its signal. It does before sending, so what was given up is not carried out later.
    const answer = await abortable(sent, options.signal).catch((error: unknown) => {
      this.#count('<error>', method)
      throw error
    })
    this.#count(String(answer.statusCode), method)
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer
    const retryAfter = answer.headers['retry-after']
    throw errorFromAnswer({
      request: `${method} ${path}`,
      status: answer.statusCode,
      body: await readStart(answer.body, maxErrorBytes),
      retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
      secret: request.secret ?? false,
    })
  }

  #count(code: string, method: string): void {
    const { metrics = noMetrics } = this.#options
    metrics.add('rest_client_requests_total', { code, method }, 1)
  }

  /** The file is read for every request (0.1 ms against 2 ms and more): a token that was rotated is never used for long. */
  async #token(signal: AbortSignal): Promise<string | undefined> {
    const { token, tokenFile, tokenSource } = this.#options.credentials
    const secret =
      tokenSource !== undefined
        ? await abortable(tokenSource.token(signal), signal)
        : tokenFile === undefined
          ? token
          : await readToken(tokenFile)
    if (secret === undefined) return undefined
    if (!/^[!-~]+$/.test(secret)) {
      const where = tokenFile === undefined ? 'the token' : `the token in ${tokenFile}`
      throw new KubeError({ code: 'TokenRefused', message: `${where} is empty or holds characters that no token has` })
    }
    return secret
  }
}

async function readToken(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unknown'
    throw new KubeError({ code: 'TokenUnreadable', message: `cannot read the token: ${why}`, retryable: true, cause })
  }
}

async function* chunks(body: AsyncIterable<Uint8Array>, what: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    throw failure(error, what, signal)
  }
}

/** The first bytes of a body; leaving the loop closes the connection where there are more. */
async function readStart(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of body) {
    parts.push(part)
    length += part.length
    if (length > maxBytes) break
  }
  return Buffer.concat(parts).toString('utf8')
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ConnectionError({ code: 'AnswerUnreadable', message: `${what}: the answer is not JSON`, retryable: true })
  }
}

const timeouts = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

/** The caller's own abort stays what it is; everything else becomes a KubeError. */
function failure(error: unknown, what: string, signal: AbortSignal | undefined): unknown {
  if (error instanceof KubeError) return error
  if (signal?.aborted === true) return signal.reason
  const reason =
    typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : ''
  const tooLarge = reason === 'UND_ERR_RES_EXCEEDED_MAX_SIZE'
  const message = error instanceof Error && error.message !== '' ? error.message : reason
  return new ConnectionError({
    code: tooLarge ? 'AnswerTooLarge' : timeouts.has(reason) ? 'DeadlineExceeded' : 'ConnectionFailed',
    message: `${what}: ${message}`,
    reason,
    retryable: !tooLarge,
    cause: error,
  })
}
