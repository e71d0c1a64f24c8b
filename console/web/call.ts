import type { z } from 'zod'
import type { Problem } from '../protocol/problem.ts'
import type { Route } from '../protocol/route.ts'
import { ProblemError } from './problem-error.ts'

/** A part of a call that may be left out where nothing in it is required. */
type Part<Key extends string, Schema extends z.ZodType> = [z.input<Schema>] extends [undefined]
  ? { readonly [key in Key]?: undefined }
  : object extends z.input<Schema>
    ? { readonly [key in Key]?: z.input<Schema> }
    : { readonly [key in Key]: z.input<Schema> }

export type Given<R extends Route> = Part<'params', R['params']> & Part<'query', R['query']> & Part<'body', R['body']>
export type Answer<R extends Route> = z.output<R['answer']>

type Loose = Readonly<Record<string, string | number | undefined>>

let csrfToken = ''
let onSignedOut: () => void = () => {}

/** Set by the session alone. `signedOut` is called when a call is answered by 401: nobody is signed in any more. */
export function configureCalls(settings: { readonly csrfToken?: string; readonly signedOut?: () => void }): void {
  if (settings.csrfToken !== undefined) csrfToken = settings.csrfToken
  if (settings.signedOut !== undefined) onSignedOut = settings.signedOut
}

/** Path and query of a call. Each parameter is one segment, whatever is in it. */
export function addressOf(route: Pick<Route, 'path'>, params: Loose = {}, query: Loose = {}): string {
  const path = route.path.replaceAll(/:([A-Za-z]+)/g, (_, name: string) => {
    const value = String(params[name] ?? '')
    // A dot segment would be taken out of the path by the browser, whether it is escaped or not.
    if (value === '' || value === '.' || value === '..') throw new TypeError(`parameter ${name} cannot be '${value}'`)
    return encodeURIComponent(value)
  })
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.append(name, String(value))
  return search.size === 0 ? path : `${path}?${search}`
}

/**
 * Calls a route of the protocol. Throws ProblemError for every answer that is not a success, and with code Unreachable where there is none; what `signal`
 * was aborted with where it was.
 */
export async function call<R extends Route>(
  route: R,
  ...[given, signal]: object extends Given<R> ? [Given<R>?, AbortSignal?] : [Given<R>, AbortSignal?]
): Promise<Answer<R>> {
  const { params, query, body } = (given ?? {}) as { params?: Loose; query?: Loose; body?: unknown }
  const headers = new Headers({ accept: 'application/json' })
  if (route.method !== 'GET') headers.set('x-csrf-token', csrfToken)
  if (body !== undefined) headers.set('content-type', 'application/json')
  const response = await fetch(addressOf(route, params, query), {
    method: route.method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
    credentials: 'same-origin',
    redirect: 'error',
    signal: signal ?? null,
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error
    throw new ProblemError(0, { code: 'Unreachable', message: 'The console does not answer.' })
  })
  if (!response.ok) throw await problemOfResponse(response, route)
  if (response.status === 204) return undefined as Answer<R>
  return (await response.json()) as Answer<R>
}

async function problemOfResponse(response: Response, route: Route): Promise<ProblemError> {
  if (response.status === 401 && route.access === 'Person') onSignedOut()
  const problem = (await response.json().catch(() => undefined)) as Partial<Problem> | undefined
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  return new ProblemError(
    response.status,
    {
      ...problem,
      code: problem?.code ?? 'AnswerNotUnderstood',
      message: problem?.message ?? `The console answered HTTP ${response.status}.`,
    },
    Number.isFinite(retryAfter) ? retryAfter : undefined,
  )
}
