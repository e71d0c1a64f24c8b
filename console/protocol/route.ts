import { z } from 'zod'

/** No parameters, no query, no body, or an empty answer (204). */
const nothing = z.undefined()

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * One route: the server is typed by it, the pages call by it, and openapi.json is made from it. Whatever is not GET changes something: it takes the CSRF
 * token and leaves an entry in the audit.
 */
export interface Route<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> {
  /** operationId in openapi.json, and the action of entries in the audit. */
  readonly name: string
  readonly summary: string
  readonly method: Method
  /** Parameters as `:name`. */
  readonly path: `/api/${string}`
  /** Public: also without a session. */
  readonly access: 'Public' | 'Person'
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly answer: Answer
}

type Optional<Key extends string, Schema extends z.ZodType> = { readonly [name in Key]?: Schema }

/** Fills in what a route leaves out: no parameters, no query, no body. */
export function defineRoute<
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
  Answer extends z.ZodType = z.ZodUndefined,
>(
  route: Pick<Route, 'name' | 'summary' | 'method' | 'path'> & { readonly access?: Route['access'] } & Optional<
      'params',
      Params
    > &
    Optional<'query', Query> &
    Optional<'body', Body> &
    Optional<'answer', Answer>,
): Route<Params, Query, Body, Answer> {
  const { access = 'Person', params, query, body, answer, ...rest } = route
  const none = nothing as unknown
  return Object.freeze({
    ...rest,
    access,
    params: params ?? (none as Params),
    query: query ?? (none as Query),
    body: body ?? (none as Body),
    answer: answer ?? (none as Answer),
  })
}
