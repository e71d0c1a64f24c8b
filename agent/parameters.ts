import type { IncomingMessage } from 'node:http'
import type { Parameters } from '@keelson/engine'
import { Refusal } from './refusal.ts'

/** 64 parameters with keys of 253 and values of 1,024 characters; six bytes for a character is JSON's longest (`\u0000`). */
export const maxBodyBytes = 512 * 1024

/** Of a body that is too large this much more is read and thrown away, so that the client hears the answer and not a broken connection. */
const maxDiscardedBytes = 8 * maxBodyBytes

/** The query of a request target; each name once. Throws 422 `ParameterRepeated`. */
export function queryParameters(query: string): Parameters {
  const parameters = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(query)) {
    if (parameters.has(name)) throw new Refusal(422, 'ParameterRepeated', 'a parameter is given once', { field: name })
    parameters.set(name, value)
  }
  return Object.fromEntries(parameters)
}

/** The bytes of a JSON body. Throws 415, 413. */
export async function jsonBody(request: IncomingMessage): Promise<Buffer> {
  const mediaType = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (mediaType !== 'application/json' || request.headers['content-encoding'] !== undefined) {
    throw new Refusal(
      415,
      'MediaTypeRefused',
      'the body is a JSON object: content-type application/json, no content-encoding',
    )
  }
  return readBody(request)
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  // Destroying the request would destroy the connection, and with it the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length <= maxBodyBytes) chunks.push(chunk)
    else chunks.length = 0
    if (length > maxBodyBytes + maxDiscardedBytes) break
  }
  if (length <= maxBodyBytes) return Buffer.concat(chunks)
  throw new Refusal(413, 'BodyTooLarge', `a body has at most ${maxBodyBytes} bytes`, {
    headers: { connection: 'close' },
  })
}

/** What a body says: a JSON object of strings. Throws 400. */
export function bodyParameters(body: Buffer): Parameters {
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    // The parser's own message quotes the body, and the body may hold what nobody else should see.
    throw new Refusal(400, 'BodyNotJson', 'the body is not JSON in UTF-8')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new Refusal(400, 'BodyRefused', 'the body is not a JSON object')
  }
  const parameters = new Map<string, string>()
  for (const [name, value] of Object.entries(parsed)) {
    if (typeof value !== 'string') {
      throw new Refusal(400, 'BodyRefused', 'every value in the body is a string, numbers and booleans too', {
        field: name,
      })
    }
    parameters.set(name, value)
  }
  return Object.fromEntries(parameters)
}
