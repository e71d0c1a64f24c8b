import { boundedText } from '../bounded-text.ts'
import type { Redact } from '../secrets/redaction.ts'

/** In bytes of JSON. */
const answerLimit = 256

/** As much of a body as can make a difference to what is shown of it, in bytes. */
const prefix = 4 * 1024

/**
 * What is shown of the body of an answer: text, without anything that a terminal obeys, at most 256 bytes of it as JSON.
 *
 * @param redact where the request bore secrets: a host may give back what it got. It is asked before anything is cut, so that no part of one is left.
 */
export function answerText(body: Uint8Array, redact?: Redact): string {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const text = redact ? redact(decoder.decode(body)) : decoder.decode(body.subarray(0, prefix))
  return boundedText(text, answerLimit)
}
