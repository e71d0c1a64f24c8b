import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Route } from '../../protocol/route.ts'
import { ProblemError } from './problem-error.ts'

export interface Input<R extends Route> {
  readonly params: z.output<R['params']>
  readonly query: z.output<R['query']>
  readonly body: z.output<R['body']>
}

/** What a route takes of a request, checked by its schemas; unknown fields are refused. @throws ProblemError 400 with every field that is wrong */
export function inputOf<R extends Route>(route: R, { params, query, body }: FastifyRequest): Input<R> {
  return {
    params: checked(route.params, orNothing(params), 'path') as z.output<R['params']>,
    query: checked(route.query, orNothing(query), 'query') as z.output<R['query']>,
    body: checked(route.body, body ?? undefined, 'body') as z.output<R['body']>,
  }
}

/** Fastify has an empty object where a request has no parameters; a route that takes some of which none is needed wants just that. */
function orNothing(fields: unknown): unknown {
  return { ...(fields as object) }
}

function checked(schema: z.ZodType, value: unknown, where: 'path' | 'query' | 'body'): unknown {
  const takesNothing = schema instanceof z.ZodUndefined
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0
  const given = takesNothing && isEmpty ? undefined : value
  const result = schema.safeParse(given)
  if (result.success) {
    const unknown = unknownFields(given, result.data, [])
    if (unknown.length === 0) return result.data
    throw refusal(
      where,
      unknown.map((path) => ({ path, message: 'there is no such field here' })),
    )
  }
  throw refusal(where, result.error.issues)
}

/** A schema leaves out what it does not know, at any depth; a slip of the pen must not be lost so. */
function unknownFields(given: unknown, known: unknown, path: readonly PropertyKey[]): (readonly PropertyKey[])[] {
  if (typeof given !== 'object' || given === null || typeof known !== 'object' || known === null) return []
  return Object.keys(given).flatMap((key) => {
    const at = [...path, Array.isArray(given) ? Number(key) : key]
    if (!Object.hasOwn(known, key)) return [at]
    return unknownFields(given[key as never], known[key as never], at)
  })
}

interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

function refusal(where: 'path' | 'query' | 'body', issues: readonly Issue[]): ProblemError {
  const causes = issues.slice(0, 32).map(({ path, message }) => ({
    field: fieldOf(path).slice(0, 253),
    message: message.slice(0, 1_024),
  }))
  const [first] = causes
  const at = first === undefined || first.field === '' ? where : `${where}: ${first.field}`
  return new ProblemError(400, {
    code: 'InputInvalid',
    message: `${at}: ${first?.message ?? 'is not as this route takes it'}`,
    ...(first === undefined || first.field === '' ? {} : { field: first.field }),
    causes,
  })
}

/** As Kubernetes writes paths of fields: spec.http.parameters[0].key. */
function fieldOf(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^[.]/, '')
}
