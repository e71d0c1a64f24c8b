import { ConnectionError, errorFromStatus } from './errors.ts'
import { isStatus, type KubernetesObject } from './object.ts'

export type WatchEvent<T extends KubernetesObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly resourceVersion: string; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }

const newline = 0x0a

/**
 * Cuts a stream of bytes at newlines. Only whole lines are decoded, so a character of several bytes may be split anywhere.
 *
 * @throws ConnectionError `WatchUnreadable` over the bound, `ConnectionFailed` where the stream ends within a line.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, maxLineBytes: number): AsyncGenerator<string> {
  let parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      parts.push(chunk.subarray(start, end))
      bound(length + end - start, maxLineBytes)
      const line = Buffer.concat(parts).toString('utf8')
      parts = []
      length = 0
      start = end + 1
      if (line !== '') yield line
    }
    if (start < chunk.length) {
      parts.push(chunk.subarray(start))
      length += chunk.length - start
      bound(length, maxLineBytes)
    }
  }
  if (length > 0) {
    throw new ConnectionError({ code: 'ConnectionFailed', message: 'watch: cut off within an event', retryable: true })
  }
}

function bound(length: number, max: number): void {
  if (length > max) throw unreadable(`an event is longer than ${max} bytes`)
}

/**
 * Decodes the events of a watch.
 *
 * @throws ExpiredError (and whatever else the server says) for an ERROR event; ConnectionError as {@link readLines} does.
 */
export async function* readWatchEvents<T extends KubernetesObject>(
  chunks: AsyncIterable<Uint8Array>,
  request: string,
  maxLineBytes: number,
): AsyncGenerator<WatchEvent<T>> {
  for await (const line of readLines(chunks, maxLineBytes)) yield readEvent<T>(line, request)
}

function readEvent<T extends KubernetesObject>(line: string, request: string): WatchEvent<T> {
  const event = parse(line)
  if (event.type === 'ERROR' && isStatus(event.object)) {
    throw errorFromStatus(event.object, { request, status: event.object.code ?? 500 })
  }
  const object = event.object as T | undefined
  const resourceVersion = object?.metadata?.resourceVersion
  if (object !== undefined && typeof resourceVersion === 'string' && resourceVersion !== '') {
    switch (event.type) {
      case 'BOOKMARK':
        return { type: event.type, resourceVersion }
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
        return { type: event.type, resourceVersion, object }
      default:
    }
  }
  throw unreadable(`an event of type ${JSON.stringify(event.type)} cannot be used`)
}

function parse(line: string): { type?: unknown; object?: unknown } {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // Reported below without the text, which may be a Secret's.
  }
  throw unreadable('an event is not a JSON object')
}

function unreadable(what: string): ConnectionError {
  return new ConnectionError({ code: 'WatchUnreadable', message: `watch: ${what}`, retryable: true })
}
