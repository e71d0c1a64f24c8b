import type { Host, HostRequest } from '@keelson/api'
import {
  keyOf,
  nameOf,
  Reflector,
  systemClock,
  type Clock,
  type KubeClient,
  type KubernetesObject,
} from '@keelson/kube'
import type { Logger } from 'pino'
import type { HostRow } from '../../../protocol/hosts.ts'
import { hostKind, hostRequestKind } from '../kinds.ts'
import { failureText } from '../own-call.ts'
import { Collection } from './collection.ts'
import { Connection } from './connection.ts'
import { hostRowOf } from './host-row.ts'
import { requestRowOf } from './request-row.ts'
import { Revisions } from './revisions.ts'
import type { RunTrace } from './run-trace.ts'
import { traceOf } from './run-trace.ts'
import { TargetLists } from './target-lists.ts'

export interface LiveStoreOptions {
  /** The console's own, which may list and watch hosts and hostrequests. */
  readonly client: KubeClient
  readonly logger: Logger
  readonly clock?: Clock
  /** Objects a page: at most this many are in memory as they came. Default 100. */
  readonly pageSize?: number
}

/** What is kept of an object. */
interface Slim extends KubernetesObject {
  /** In JSON. */
  readonly row: string
  /** In JSON; of requests. */
  readonly trace: string
}

export interface TracedRequest {
  readonly key: string
  /** RequestRow in JSON. */
  readonly row: string
  readonly createdAt: string
  readonly trace: RunTrace
}

/**
 * All hosts and requests as rows: one watch of each, with the console's own rights, for everybody who looks. It asks nobody's leave: who shows something of it
 * asks the Gate first.
 */
export class LiveStore {
  readonly revisions = new Revisions()
  readonly hosts = new Collection(this.revisions)
  readonly requests = new Collection(this.revisions)
  readonly lists = new TargetLists()
  readonly connection: Connection
  readonly #hosts: Reflector<Host, Slim>
  readonly #requests: Reflector<HostRequest, Slim>

  constructor({ client, logger, clock = systemClock, pageSize = 100 }: LiveStoreOptions) {
    this.connection = new Connection(['hosts', 'requests'], clock)
    const shared = (watch: 'hosts' | 'requests') => ({
      client,
      pageSize,
      onConnection: (connected: boolean) => this.connection.set(watch, connected),
      onError: (error: unknown) =>
        logger.warn({ watch, failure: failureText(error) }, 'the watch was lost; trying again'),
    })
    this.#hosts = new Reflector<Host, Slim>({
      ...shared('hosts'),
      kind: hostKind,
      transform: (host) => slim(host, hostRowOf(host), ''),
    })
    this.#requests = new Reflector<HostRequest, Slim>({
      ...shared('requests'),
      kind: hostRequestKind,
      transform: (request) => slim(request, requestRowOf(request), traceOf(request, this.lists)),
    })
    this.#hosts.onChange(({ type, object }) => {
      const key = keyOf(object)
      if (type === 'deleted') this.hosts.remove(key)
      // Most writes of a Host change nothing that a row shows.
      else if (this.hosts.get(key)?.json !== object.row) this.hosts.set(key, object.row)
    })
    this.#requests.onChange(({ type, object }) => {
      const key = keyOf(object)
      if (type === 'deleted') this.requests.remove(key)
      // Equal rows too: somebody may be looking at the whole of it.
      else this.requests.set(key, object.row)
    })
  }

  /** Runs until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#hosts.run(signal), this.#requests.run(signal)])
  }

  /** Resolves when both were listed once. */
  async synced(signal?: AbortSignal): Promise<void> {
    await Promise.all([this.#hosts.synced(signal), this.#requests.synced(signal)])
  }

  /** Namespaces that hold requests, in order. */
  requestNamespaces(): string[] {
    const namespaces = new Set<string>()
    for (const key of this.requests.keys()) namespaces.add(namespaceOf(key))
    return [...namespaces].toSorted()
  }

  hostRow(name: string): HostRow | undefined {
    const entry = this.hosts.get(name)
    return entry === undefined ? undefined : (JSON.parse(entry.json) as HostRow)
  }

  hostRows(): HostRow[] {
    return [...this.hosts.entries()].map(({ json }) => JSON.parse(json) as HostRow)
  }

  /** Requests whose run has targets, in no order. */
  *traces(): Generator<TracedRequest> {
    for (const object of this.#requests.store.list()) {
      if (object.trace === '') continue
      const trace = JSON.parse(object.trace) as RunTrace
      yield { key: keyOf(object), row: object.row, createdAt: object.metadata.creationTimestamp ?? '', trace }
    }
  }
}

/** Of NAMESPACE/NAME. */
export function namespaceOf(key: string): string {
  return nameOf(key).namespace ?? ''
}

function slim({ metadata }: KubernetesObject, row: object, trace: string): Slim {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata
  const kept = { name, uid, resourceVersion, creationTimestamp }
  return { metadata: namespace === undefined ? kept : { ...kept, namespace }, row: JSON.stringify(row), trace }
}
