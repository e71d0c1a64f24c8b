/** The spec of a HostRequest, and what the API server and the controller's own check must say to it. */
export type AdmissionCase = {
  readonly title: string
  readonly spec: unknown
  /** Absent: it is accepted. */
  readonly refused?: ExpectedRefusal
}

export type ExpectedRefusal = {
  readonly field: string
  /** As in `details.causes[].reason` of the API server's answer. */
  readonly reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueForbidden'
    | 'FieldValueNotSupported'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | 'FieldValueTypeInvalid'
  /** Parts of the message. */
  readonly says?: readonly string[]
  /** What appears nowhere in the answer. */
  readonly hides?: string
}

export type Fields = Readonly<Record<string, unknown>>

export const worker = { name: 'node1' }
export const http = { port: 7117, api: '/v1/sysctl', method: 'POST' }

export const withSpec = (fields: Fields): Fields => ({ workers: [worker], http, ...fields })
export const withHttp = (fields: Fields): Fields => withSpec({ http: { ...http, ...fields } })
export const withParameters = (...parameters: readonly unknown[]): Fields => withHttp({ parameters })
export const withSelector = (hostSelector: Fields): Fields => withSpec({ hostSelector })
export const withExpression = (fields: Fields): Fields =>
  withSelector({ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'], ...fields }] })

export function without(fields: Fields, name: string): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name))
}

export function repeat<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

export const accepted = (title: string, spec: unknown): AdmissionCase => ({ title, spec })
export const refused = (title: string, spec: unknown, expected: ExpectedRefusal): AdmissionCase => ({
  title,
  spec,
  refused: expected,
})

/** At the limit accepted, one beyond it refused. */
export function limit(
  title: string,
  at: number,
  make: (size: number) => unknown,
  expected: ExpectedRefusal,
  beyond = at + 1,
): AdmissionCase[] {
  return [accepted(`${title}: ${at}`, make(at)), refused(`${title}: ${beyond}`, make(beyond), expected)]
}

export const controlCharacters = [...repeat(0x20, (code) => String.fromCodePoint(code)), '\x7f']
export const ascii = repeat(0x80, (code) => String.fromCodePoint(code))

/** As the message names a character of ASCII. */
export function nameOf(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
}
