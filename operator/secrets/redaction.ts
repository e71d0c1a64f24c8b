import { redacted, type SecretValue } from './secret-value.ts'

/** Replaces what must not be shown, wherever it occurs. */
export type Redact = (text: string) => string

/**
 * Replaces these secrets in what a host says, as they were sent and in the ways in which an honest host may give them back: within JSON, also
 * JSON within JSON, in a query, in base64, with the white space of a list as the kernel writes it. A host that wants to tell its secret can.
 */
export function redaction(secrets: readonly SecretValue[]): Redact {
  const forms = new Set(secrets.flatMap((secret) => formsOf(secret.reveal())))
  return (text) => replaced(text, rangesOf(text, forms))
}

function formsOf(value: string): string[] {
  const words = value.trim().split(/\s+/)
  const plain = new Set([value, value.trim(), words.join(' '), words.join('\t')])
  return [...plain].flatMap(encodingsOf).filter((form) => form !== '')
}

function encodingsOf(text: string): string[] {
  const bytes = Buffer.from(text)
  const once = [text, inJson(text), inAsciiJson(text)]
  return [
    ...once.flatMap((form) => [form, inJson(form)]),
    ...[encodeURIComponent(text.toWellFormed()), new URLSearchParams({ '': text }).toString().slice(1)],
    ...[bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url')],
  ]
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** As those write it who keep to ASCII, and to what HTML takes for text. */
function inAsciiJson(text: string): string {
  return inJson(text).replaceAll(/[^ -~]|[<>&]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

type Range = { readonly start: number; readonly end: number }

/** Every occurrence of every form, also those that overlap: nothing is left of the one when the other is replaced. */
function rangesOf(text: string, forms: Iterable<string>): Range[] {
  const ranges: Range[] = []
  for (const form of forms) {
    for (let start = text.indexOf(form); start >= 0; start = text.indexOf(form, start + 1))
      ranges.push({ start, end: start + form.length })
  }
  return ranges.toSorted((a, b) => a.start - b.start)
}

function replaced(text: string, ranges: readonly Range[]): string {
  const parts: string[] = []
  let done = 0
  for (const { start, end } of ranges) {
    // One that begins within the last one makes that longer.
    if (start >= done) parts.push(text.slice(done, start), redacted)
    done = Math.max(done, end)
  }
  parts.push(text.slice(done))
  return parts.join('')
}
