import type { IncomingHttpHeaders } from 'node:http'
import type { Connection } from './connection.ts'
import type { Deadline } from './deadline.ts'
import type { Message } from './message.ts'

export type Answer = {
  readonly statusCode: number
  readonly headers: IncomingHttpHeaders
  /** Undefined where it is longer than `answerLimit`. */
  readonly body: Buffer | undefined
}

/** What is read of an answer; a longer one counts as a failure, so that 5,000 of them fit in memory. */
export const answerLimit = 64 * 1024

/** How far a request has come: all that can be known of what the host has seen of it. */
export type Progress = {
  /** Its first byte may have been written. */
  sent: boolean
  /** The status code, once the head of the answer is there. */
  statusCode?: number
}

/**
 * One request over one connection that nobody else uses. What goes wrong ends the connection.
 *
 * @throws DeliveryError `HeadersTimeout`, `BodyTimeout`; the error of the connection; the reason of the signal of `deadline`
 */
export async function exchange(
  connection: Connection,
  message: Message,
  deadline: Deadline,
  progress: Progress,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const fail = (reason: Error) => {
    deadline.leave()
    reject(reason)
    connection.close(reason)
  }
  deadline.enter('Headers', fail)
  const chunks: Buffer[] = []
  let size = 0
  let statusCode = 0
  let headers: IncomingHttpHeaders = {}
  connection.client.dispatch(message, {
    onRequestStart: () => {
      progress.sent = true
    },
    onResponseStart: (_controller, code, theirs) => {
      // 103 and the like come before the answer.
      if (code < 200) return
      statusCode = code
      headers = theirs
      progress.statusCode = code
      deadline.enter('Body', fail)
    },
    onResponseData: (_controller, chunk) => {
      size += chunk.length
      if (size <= answerLimit) {
        chunks.push(chunk)
        return
      }
      deadline.leave()
      resolve({ statusCode, headers, body: undefined })
      connection.close(new Error('the answer is too long'))
    },
    onResponseEnd: () => {
      deadline.leave()
      resolve({ statusCode, headers, body: chunks.length === 1 ? chunks[0] : Buffer.concat(chunks) })
    },
    onResponseError: (_controller, error) => fail(connection.error ?? error),
  })
  return promise
}
