import type { IncomingMessage } from 'node:http'
import { changeResource, readFacts, readResource, resourceTypes, type ResourceType, type System } from '@keelson/engine'
import { bodyParameters, queryParameters } from './parameters.ts'
import { Refusal } from './refusal.ts'
import { version } from './version.ts'
import { WriteQueue } from './write-queue.ts'

/** `gone`: nobody waits for the answer any more. `stop`: the agent ends now and may not even finish what it has begun. */
export type Signals = { readonly gone: AbortSignal; readonly stop: AbortSignal }

type Handler = (request: IncomingMessage, query: string, signals: Signals) => Promise<object>
type Route = Readonly<Partial<Record<string, Handler>>>

/** As many as there can be connections: more only come from a client that does not wait for its answers. */
const maxWaitingWrites = 16

export class Routes {
  readonly #routes: ReadonlyMap<string, Route>

  constructor(system: System, types: ReadonlyMap<string, ResourceType> = resourceTypes) {
    this.#routes = new Map([
      ['/v1/facts', factsRoute(system)],
      ...[...types.values()].map((type) => [`/v1/${type.name}`, typeRoute(system, type)] as const),
    ])
  }

  /** The body of the answer. Throws `Refusal`, `ResourceError`, or what nobody has foreseen. Paths match exactly, character by character. */
  async answer(request: IncomingMessage, signals: Signals): Promise<object> {
    const { path, query } = splitTarget(request.url ?? '')
    const route = this.#routes.get(path)
    if (route === undefined) {
      const paths = [...this.#routes.keys()].join(', ')
      throw new Refusal(404, 'TypeUnknown', `this agent has no such path; it has ${paths}`)
    }
    const handler = Object.hasOwn(route, request.method ?? '') ? route[request.method ?? ''] : undefined
    if (handler === undefined) {
      const allow = Object.keys(route).join(', ')
      throw new Refusal(405, 'MethodRefused', `this path takes ${allow}`, { headers: { allow } })
    }
    return handler(request, query, signals)
  }
}

export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf('?')
  return mark === -1 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark + 1) }
}

function factsRoute(system: System): Route {
  return {
    GET: async (_request, query) => {
      refuseQuery(query)
      return readFacts(system, version)
    },
  }
}

function typeRoute(system: System, type: ResourceType): Route {
  const writes = new WriteQueue(maxWaitingWrites)
  return {
    GET: async (_request, query, { gone }) => readResource(type, system, queryParameters(query), gone),
    POST: async (request, query, { gone, stop }) => {
      refuseQuery(query)
      const parameters = await bodyParameters(request)
      return writes.run(async () => changeResource(type, system, parameters, stop), gone)
    },
  }
}

function refuseQuery(query: string): void {
  const [name] = Object.keys(queryParameters(query))
  if (name !== undefined) throw new Refusal(422, 'ParameterUnknown', 'this request takes no query', { field: name })
}
