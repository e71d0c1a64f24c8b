import type { Route } from '../../protocol/route.ts'

const maxDetailLength = 2_048

/** Names of fields, at any depth, whose values are secrets or may be: those of a request's parameters are one never knows what. */
const secretFields = new Set(['password', 'current', 'next', 'token', 'value', 'kubeconfig', 'secret'])
const redacted = '(left out)'

interface Input {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
}

/** What an act is about, as the audit names it: hostrequests/NAMESPACE/NAME, accounts/NAME. */
export function objectOf(route: Route, actor: string, { params, body }: Input): string {
  const [, kind = ''] = /^\/api\/([a-z-]+)/.exec(route.path) ?? []
  if (['session', 'bootstrap', 'profile'].includes(kind)) return `accounts/${actor}`
  const named = params ?? body ?? {}
  const { namespace, name, token } = named as { namespace?: unknown; name?: unknown; token?: unknown }
  const parts = [kind === 'requests' ? 'hostrequests' : kind, namespace, name, params === undefined ? undefined : token]
  return parts.filter((part) => typeof part === 'string').join('/')
}

/** What was asked, as JSON that is always whole, secrets left out. */
export function detailOf({ query, body }: Input): string {
  return detailText({ ...(hasFields(query) ? { query } : {}), ...(hasFields(body) ? { body } : {}) })
}

export function detailText(value: unknown): string {
  const full = JSON.stringify(redact(value, Infinity, Infinity)) ?? ''
  if (full.length <= maxDetailLength) return full === '{}' ? '' : full
  const short = JSON.stringify(redact(value, 8, 64))
  if (short.length <= maxDetailLength) return short
  return JSON.stringify({ omitted: `${full.length} characters` })
}

function redact(value: unknown, maxItems: number, maxText: number): unknown {
  if (typeof value === 'string') return value.length > maxText ? `${value.slice(0, maxText)}…` : value
  if (Array.isArray(value)) {
    const items = value.slice(0, maxItems).map((item) => redact(item, maxItems, maxText))
    return value.length > maxItems ? [...items, `… ${value.length - maxItems} more`] : items
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [
      key,
      secretFields.has(key.toLowerCase()) && field !== undefined ? redacted : redact(field, maxItems, maxText),
    ]),
  )
}

function hasFields(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).some((field) => field !== undefined)
}
