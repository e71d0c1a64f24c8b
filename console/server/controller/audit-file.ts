import type { AuditEntry } from '../../protocol/audit.ts'

export type EntryPages = () => AsyncIterable<readonly AuditEntry[]>

const columns = [
  'sequence',
  'time',
  'actor',
  'address',
  'action',
  'object',
  'detail',
  'outcome',
  'status',
  'message',
  'finishedAt',
] as const satisfies readonly (keyof AuditEntry)[]

/** RFC 4180, a header first. */
export async function* csvLines(pages: EntryPages): AsyncGenerator<string> {
  yield `${columns.join(',')}\r\n`
  for await (const page of pages()) {
    const lines = page.map((entry) => columns.map((column) => csvField(String(entry[column] ?? ''))).join(','))
    yield `${lines.join('\r\n')}\r\n`
  }
}

export async function* ndjsonLines(pages: EntryPages): AsyncGenerator<string> {
  for await (const page of pages()) yield page.map((entry) => `${JSON.stringify(entry)}\n`).join('')
}

/** A spreadsheet takes what begins so for a formula and runs it (OWASP, CSV injection); after an apostrophe it is text. */
const formula = /^[=+\-@\t\r]/

function csvField(text: string): string {
  const safe = formula.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
