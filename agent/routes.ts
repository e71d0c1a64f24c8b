import type { IncomingMessage } from 'node:http'
import { productVersion } from '@keelson/api/product-version'
import {
  changeResource,
  readFacts,
  readResource,
  resourceTypes,
  type Parameters,
  type ResourceType,
  type System,
} from '@keelson/engine'
import { success, type Answer } from './answer.ts'
import type { Client, ClientIdentity } from './client-identity.ts'
import type { Deliveries } from './idempotency/deliveries.ts'
import { deliveryDigest, deliveryHead } from './idempotency/delivery.ts'
import { bodyParameters, jsonBody, queryParameters } from './parameters.ts'
import { Refusal } from './refusal.ts'
import type { Signals } from './signals.ts'
import type { Trust } from './trust/trust.ts'
import { WriteQueue } from './write-queue.ts'

type Read = (parameters: Parameters, gone: AbortSignal) => Promise<object>
type Write = {
  /** What must not be done at the same time shares one. */
  readonly queue: WriteQueue
  act(parameters: Parameters, client: Client, stop: AbortSignal): Promise<object>
}
type Route = {
  readonly clients: readonly ClientIdentity[]
  /** Method → what it does. GET reads, all else writes. */
  readonly methods: Readonly<Record<string, Read | Write>>
}

/** As many as there can be connections: more only come from a client that does not wait for its answers. */
const maxWaitingWrites = 16

/** First words of paths that are *control*'s alone, with all below them, those too that this agent does not have (yet). */
const controlWords: ReadonlySet<string> = new Set(['desired', 'plan', 'state', 'trust'])

export type RoutesOptions = {
  readonly system: System
  readonly types?: ReadonlyMap<string, ResourceType> | undefined
  readonly deliveries: Deliveries
  readonly trust: Trust
  /** Refuse a write that does not say where it stands among the others. */
  readonly requireOrder: boolean
}

export class Routes {
  readonly #routes: ReadonlyMap<string, Route>
  readonly #deliveries: Deliveries
  readonly #requireOrder: boolean

  constructor({ system, types = resourceTypes, deliveries, trust, requireOrder }: RoutesOptions) {
    this.#routes = new Map([
      ['/v1/facts', factsRoute(system)],
      ...[...types.values()].map((type) => [`/v1/${type.name}`, typeRoute(system, type)] as const),
      ...trustRoutes(trust),
    ])
    this.#deliveries = deliveries
    this.#requireOrder = requireOrder
  }

  /** Throws `Refusal`, `ResourceError`, or what nobody has foreseen. Paths match exactly, character by character. */
  async answer(request: IncomingMessage, client: Client, signals: Signals): Promise<Answer> {
    const { path, query } = splitTarget(request.url ?? '')
    const handler = this.#find(request.method ?? '', path, client.identity)
    if (typeof handler === 'function') return success(await handler(queryParameters(query), signals.gone))
    refuseParameters(queryParameters(query))
    const head = deliveryHead(request, this.#requireOrder)
    const body = await jsonBody(request)
    const parameters = bodyParameters(body)
    const delivery = { ...head, digest: deliveryDigest(request, body) }
    const act = async (): Promise<object> => handler.act(parameters, client, signals.stop)
    return this.#deliveries.answer(delivery, handler.queue, act, signals)
  }

  #find(method: string, path: string, identity: ClientIdentity): Read | Write {
    if (identity !== 'control' && controlWords.has(/^\/v1\/([^/]*)/.exec(path)?.[1] ?? '')) {
      throw new Refusal(403, 'ControlOnly', 'this path is for the control identity alone')
    }
    const route = this.#routes.get(path)
    if (route === undefined) {
      const paths = [...this.#routes].filter(([, { clients }]) => clients.includes(identity)).map(([own]) => own)
      throw new Refusal(404, 'TypeUnknown', `this agent has no such path; it has ${paths.join(', ')}`)
    }
    if (!route.clients.includes(identity)) {
      throw new Refusal(403, 'RequestOnly', 'this path is for the request identity alone')
    }
    const handler = Object.hasOwn(route.methods, method) ? route.methods[method] : undefined
    if (handler !== undefined) return handler
    const allow = Object.keys(route.methods).join(', ')
    throw new Refusal(405, 'MethodRefused', `this path takes ${allow}`, { headers: { allow } })
  }
}

export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf('?')
  return mark === -1 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark + 1) }
}

function factsRoute(system: System): Route {
  const GET: Read = async (parameters) => {
    refuseParameters(parameters)
    return readFacts(system, productVersion)
  }
  return { clients: ['request', 'control'], methods: { GET } }
}

function typeRoute(system: System, type: ResourceType): Route {
  const GET: Read = async (parameters, gone) => readResource(type, system, parameters, gone)
  const POST: Write = {
    queue: new WriteQueue(maxWaitingWrites),
    act: async (parameters, _client, stop) => changeResource(type, system, parameters, stop),
  }
  return { clients: ['request'], methods: { GET, POST } }
}

function trustRoutes(trust: Trust): (readonly [path: string, Route])[] {
  const queue = new WriteQueue(maxWaitingWrites)
  const PUT: Write = { queue, act: async (parameters, client) => trust.replace(parameters, client.certificate) }
  const POST: Write = { queue, act: async (parameters) => trust.request(parameters) }
  return [
    ['/v1/trust', { clients: ['control'], methods: { PUT } }],
    ['/v1/trust/csr', { clients: ['control'], methods: { POST } }],
  ]
}

function refuseParameters(parameters: Parameters): void {
  const [name] = Object.keys(parameters)
  if (name !== undefined) throw new Refusal(422, 'ParameterUnknown', 'this request takes no query', { field: name })
}
