import type { Refusal } from './refusal.ts'

/** As it goes out: the body is JSON. */
export type Answer = {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

export function success(body: object): Answer {
  return { status: 200, body: JSON.stringify(body) }
}

export function refused({ status, body, headers }: Refusal): Answer {
  return { status, body: JSON.stringify(body), headers }
}
