import { Host, HostRequest, HostRequestSpec } from '@keelson/api'
import { z } from 'zod'
import { Account, Grant, Token } from './protocol/access.ts'
import { AuditEntry } from './protocol/audit.ts'
import { HostRow } from './protocol/hosts.ts'
import { routes } from './protocol/index.ts'
import { livePath } from './protocol/live.ts'
import { Permissions } from './protocol/permissions.ts'
import { Problem } from './protocol/problem.ts'
import { RequestRow } from './protocol/requests.ts'
import type { Route } from './protocol/route.ts'
import { Me, Session } from './protocol/session.ts'

type Schema = Readonly<Record<string, unknown>>

/** What several routes speak of, by name. */
const named = {
  Account,
  AuditEntry,
  Grant,
  Host,
  HostRequest,
  HostRequestSpec,
  HostRow,
  Me,
  Permissions,
  Problem,
  RequestRow,
  Session,
  Token,
} as const satisfies Readonly<Record<string, z.ZodType>>

/** OpenAPI 3.1, made from the routes that the server serves: there is no other list of them. */
export function openApi(): object {
  const components = new Map<string, Schema>()
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const path = route.path.replaceAll(/:([a-z]+)/gi, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, components) }
  }
  paths[livePath] = { get: liveOperation(components) }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Keelson console',
      version: 'v1alpha1',
      description:
        'What the pages of the console call. Programs call Kubernetes itself: see docs/rest-api.md. Unknown fields and parameters are refused.',
    },
    paths,
    components: {
      schemas: Object.fromEntries([...components].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: {
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-keelson',
          description: 'Set by signIn; `keelson` where the console is served by plain http.',
        },
      },
    },
  }
}

function operationOf(route: Route, components: Map<string, Schema>): object {
  const changes = route.method !== 'GET'
  const answer = isNothing(route.answer)
    ? { 204: { description: 'Done.' } }
    : { 200: { description: 'Done.', content: jsonOf(route.answer, components) } }
  return {
    operationId: route.name,
    summary: route.summary,
    security: route.access === 'Public' ? [{}, { session: [] }] : [{ session: [] }],
    parameters: [
      ...parametersOf(route.params, 'path', components),
      ...parametersOf(route.query, 'query', components),
      ...(changes ? [csrfParameter] : []),
    ],
    ...(isNothing(route.body) ? {} : { requestBody: { required: true, content: jsonOf(route.body, components) } }),
    responses: { ...answer, default: problemAnswer(components) },
  }
}

const csrfParameter = {
  name: 'X-CSRF-Token',
  in: 'header',
  required: true,
  description: 'csrfToken of getSession.',
  schema: { type: 'string' },
} as const

function liveOperation(components: Map<string, Schema>): object {
  const text = { type: 'string' }
  return {
    operationId: 'live',
    summary: 'Hosts and requests as they change: server-sent events',
    security: [{ session: [] }],
    parameters: [
      { name: 'topic', in: 'query', required: true, schema: { type: 'array', items: text }, explode: true },
      { name: 'since', in: 'query', required: false, schema: text },
      { name: 'Last-Event-ID', in: 'header', required: false, schema: text },
    ],
    responses: {
      200: { description: 'The stream.', content: { 'text/event-stream': { schema: text } } },
      default: problemAnswer(components),
    },
  }
}

function problemAnswer(components: Map<string, Schema>): object {
  return { description: 'It was not done.', content: jsonOf(Problem, components) }
}

function jsonOf(schema: z.ZodType, components: Map<string, Schema>): object {
  const type = schema instanceof z.ZodString ? 'text/plain' : 'application/json'
  return { [type]: { schema: schemaOf(schema, components) } }
}

function parametersOf(schema: z.ZodType, where: 'path' | 'query', components: Map<string, Schema>): object[] {
  if (isNothing(schema)) return []
  const { properties = {}, required = [] } = schemaOf(schema, components) as {
    properties?: Record<string, Schema>
    required?: readonly string[]
  }
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }))
}

function isNothing(schema: z.ZodType): boolean {
  return schema instanceof z.ZodUndefined
}

/** With what has a name put into the components: as it may be sent, which is as it is answered but for defaults that are filled in. */
function schemaOf(schema: z.ZodType, components: Map<string, Schema>): Schema {
  for (const [id, each] of Object.entries(named)) z.globalRegistry.add(each, { ...z.globalRegistry.get(each), id })
  const {
    $schema: _,
    $defs = {},
    ...rest
  } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema & {
    readonly $defs?: Readonly<Record<string, Schema>>
  }
  for (const [name, { id: __, ...definition }] of Object.entries($defs)) components.set(name, relocated(definition))
  return relocated(rest)
}

/** References as OpenAPI writes them. */
function relocated(schema: Schema): Schema {
  const text = JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')
  return JSON.parse(text) as Schema
}
