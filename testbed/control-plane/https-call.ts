import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'

export type HttpsCallOptions = {
  /** The server's certificate must be of this authority. */
  readonly ca: string | Buffer
  /** Our own certificate. */
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  /** Sent by POST; without it this is a GET. */
  readonly body?: string
  readonly timeoutMs?: number
}

/** One request on a connection of its own. Throws if there is no whole answer within the time limit, ten seconds by default. */
export async function httpsCall(url: string, options: HttpsCallOptions): Promise<{ status: number; body: string }> {
  const { body, timeoutMs = 10_000, ...tls } = options
  const method = body === undefined ? 'GET' : 'POST'
  const call = request(url, { ...tls, method, agent: false, signal: AbortSignal.timeout(timeoutMs) })
  call.end(body)
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  return { status: response.statusCode ?? 0, body: await text(response) }
}
