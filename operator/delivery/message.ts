import type { Dispatcher } from 'undici'
import { SecretValue } from '../secrets/secret-value.ts'

export type Parameter = { readonly key: string; readonly value: string | SecretValue }

export type Request = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly parameters: readonly Parameter[]
  /** Sent along; names in small letters. */
  readonly headers?: Readonly<Record<string, string>>
}

export type Message = Pick<Dispatcher.DispatchOptions, 'method' | 'path'> & {
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** A request as it goes over the wire: parameters in the query of GET and DELETE, else as a JSON object of strings. */
export function messageOf({ method, path, parameters, headers = {} }: Request): Message {
  const entries = parameters.map(({ key, value }): [string, string] => [
    key,
    value instanceof SecretValue ? value.reveal() : value,
  ])
  if (method === 'GET' || method === 'DELETE') {
    const query = new URLSearchParams(entries).toString()
    return { method, path: query === '' ? path : `${path}?${query}`, headers }
  }
  const body = JSON.stringify(Object.fromEntries(entries))
  return { method, path, headers: { ...headers, 'content-type': 'application/json' }, body }
}
