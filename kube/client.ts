import type { ClientConfiguration } from './configuration.ts'
import { ExpiredError, KubeError } from './errors.ts'
import { loadInCluster } from './in-cluster.ts'
import { kinds, type Kind } from './kinds.ts'
import { loadKubeconfig } from './kubeconfig.ts'
import type { MetricsSink } from './metrics.ts'
import type { Draft, KubernetesObject, ListMeta, ObjectName } from './object.ts'
import { collectionPath, objectPath } from './paths.ts'
import { Transport, type TransportRequest } from './transport.ts'
import { readWatchEvents, type WatchEvent } from './watch-stream.ts'

export interface KubeClientOptions extends ClientConfiguration {
  /** Who owns the fields that this client writes; also its User-Agent, so that audit logs name it. */
  readonly fieldManager: string
  /** For one request, from the call to the last byte. Default 60 s. */
  readonly requestTimeoutMs?: number
  readonly metrics?: MetricsSink
}

/** What a client is told that finds its API server by itself; fieldManager is `keelson` where absent. */
export type ClientDefaults = Partial<Pick<KubeClientOptions, 'fieldManager' | 'requestTimeoutMs' | 'metrics'>>

export interface Selection {
  /** All namespaces where absent. */
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
}

export interface ListOptions extends Selection {
  /** Objects a page; default 500. */
  readonly limit?: number | undefined
}

export interface ObjectList<T> {
  readonly items: readonly T[]
  /** The one state of the cluster that all items are of; a watch may start here. */
  readonly resourceVersion: string
}

export interface ObjectPage<T> extends ObjectList<T> {
  /** Asks for the next page; absent on the last one. */
  readonly continueToken?: string
}

export interface WriteOptions {
  /** Validate and answer as if written, write nothing. */
  readonly dryRun?: boolean | undefined
}

export interface ApplyOptions extends WriteOptions {
  /** Take fields over that other managers own, instead of a ConflictError. */
  readonly force?: boolean | undefined
  readonly subresource?: 'status' | undefined
}

export interface PatchOptions extends WriteOptions {
  readonly subresource?: 'status' | undefined
}

export interface UpdateOptions extends WriteOptions {
  /** `approval`: of a CertificateSigningRequest, whose conditions nothing else may set. */
  readonly subresource?: 'approval' | undefined
}

export interface DeleteOptions extends WriteOptions {
  /** A ConflictError where the object is not this one any more. */
  readonly preconditions?:
    { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined } | undefined
  /** Default: what the kind's server says, `Background` as a rule. */
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan' | undefined
}

export interface TokenOptions {
  /** How long it is to be valid, in seconds: 600 at least; the server may give less. */
  readonly expirationSeconds: number
  /** The token ends with this object: a Secret of the namespace, as a rule. */
  readonly boundObjectRef?: {
    readonly apiVersion: string
    readonly kind: string
    readonly name: string
    readonly uid?: string | undefined
  }
}

/** A secret. */
export interface Token {
  readonly token: string
  /** RFC 3339, by the clock of the server. */
  readonly expirationTimestamp: string
  /** What the server has granted. */
  readonly expirationSeconds: number
}

export interface WatchOptions extends Selection {
  readonly resourceVersion: string
  /** After this the server ends the stream in good order. */
  readonly timeoutSeconds: number
}

const defaultPageSize = 500
const maxListRestarts = 3
/** etcd holds objects up to 1.5 MB; escaped and with both of its wrappings an event stays well below this. */
const maxEventBytes = 16 * 1024 * 1024

/**
 * Requests to one API server over one pool of kept-alive connections; watches have connections of their own. Every method throws KubeError (see there),
 * or the reason of `signal` once that is aborted. Nothing is retried here but an expired LIST: `retryable` and `retryAfterSeconds` tell whoever calls.
 */
export class KubeClient implements AsyncDisposable {
  readonly #transport: Transport
  readonly #fieldManager: string

  constructor(options: KubeClientOptions) {
    this.#fieldManager = options.fieldManager
    this.#transport = new Transport({
      ...options,
      userAgent: options.fieldManager,
      requestTimeoutMs: options.requestTimeoutMs ?? 60_000,
    })
  }

  /** The current context of a kubeconfig file, or the named one. */
  static async fromKubeconfig(
    path: string,
    options: ClientDefaults & { readonly context?: string } = {},
  ): Promise<KubeClient> {
    const { context, ...rest } = options
    const which = context === undefined ? {} : { context }
    return new KubeClient({ fieldManager: 'keelson', ...rest, ...(await loadKubeconfig(path, which)) })
  }

  /** The service account of the pod that we run in. */
  static async inCluster(options: ClientDefaults = {}): Promise<KubeClient> {
    return new KubeClient({ fieldManager: 'keelson', ...options, ...(await loadInCluster()) })
  }

  async get<T extends KubernetesObject>(kind: Kind<T>, name: ObjectName, signal?: AbortSignal): Promise<T> {
    return this.#object<T>(kind, { method: 'GET', path: objectPath(kind, name) }, signal)
  }

  /** All objects, page by page; begins again (three times at most) where the server has meanwhile forgotten the state that the pages are of. */
  async list<T extends KubernetesObject>(
    kind: Kind<T>,
    options: ListOptions = {},
    signal?: AbortSignal,
  ): Promise<ObjectList<T>> {
    for (let restarts = 0; ; restarts++) {
      try {
        return await this.listOnce(kind, options, signal)
      } catch (error) {
        if (!(error instanceof ExpiredError) || restarts === maxListRestarts) throw error
      }
    }
  }

  /** All objects, page by page. @throws ExpiredError where the server forgot the state that the pages are of. */
  async listOnce<T extends KubernetesObject>(
    kind: Kind<T>,
    options: ListOptions = {},
    signal?: AbortSignal,
  ): Promise<ObjectList<T>> {
    const items: T[] = []
    for (let token: string | undefined; ;) {
      const page = await this.listPage(kind, { ...options, continueToken: token }, signal)
      items.push(...page.items)
      token = page.continueToken
      if (token === undefined) return { items, resourceVersion: page.resourceVersion }
    }
  }

  async listPage<T extends KubernetesObject>(
    kind: Kind<T>,
    options: ListOptions & { readonly continueToken?: string | undefined } = {},
    signal?: AbortSignal,
  ): Promise<ObjectPage<T>> {
    const { limit = defaultPageSize, continueToken } = options
    const query = { ...selection(options), limit: String(limit), continue: continueToken }
    const path = collectionPath(kind, options.namespace)
    const answer = (await this.#transport.request({ method: 'GET', path, query }, signal)) as {
      readonly metadata: ListMeta
      readonly items?: readonly T[] | null
    }
    const { resourceVersion, continue: next } = answer.metadata
    // Lists of built-in kinds leave apiVersion and kind out of their items; watches do not.
    const items = (answer.items ?? []).map((item) => ({ ...item, apiVersion: kind.apiVersion, kind: kind.kind }))
    return { items, resourceVersion, ...(next === undefined || next === '' ? {} : { continueToken: next }) }
  }

  async create<T extends KubernetesObject>(
    kind: Kind<T>,
    object: Draft<T>,
    options: WriteOptions = {},
    signal?: AbortSignal,
  ): Promise<T> {
    const path = objectPath(kind, object.metadata)
    const collection = path.slice(0, path.lastIndexOf('/'))
    return this.#write(kind, { method: 'POST', path: collection, body: typed(kind, object) }, options, signal)
  }

  /** Asks by a kind that is not stored and has no name, such as SubjectAccessReview; the answer is in its status. */
  async review<T extends KubernetesObject>(
    kind: Kind<T>,
    question: Omit<T, 'metadata' | 'status'>,
    signal?: AbortSignal,
  ): Promise<Omit<T, 'metadata'>> {
    const body = { ...question, apiVersion: kind.apiVersion, kind: kind.kind }
    const answer = await this.#transport.request({ method: 'POST', path: collectionPath(kind), body }, signal)
    return answer as Omit<T, 'metadata'>
  }

  /** A new token of a ServiceAccount, by TokenRequest; for the API server itself. @throws NotFoundError where there is no such account. */
  async createToken(
    namespace: string,
    serviceAccount: string,
    options: TokenOptions,
    signal?: AbortSignal,
  ): Promise<Token> {
    const path = objectPath(kinds.ServiceAccount, { namespace, name: serviceAccount }, 'token')
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: options }
    const answer = (await this.#transport.request({ method: 'POST', path, body }, signal)) as {
      readonly spec: { readonly expirationSeconds: number }
      readonly status: { readonly token: string; readonly expirationTimestamp: string }
    }
    const { token, expirationTimestamp } = answer.status
    return { token, expirationTimestamp, expirationSeconds: answer.spec.expirationSeconds }
  }

  /** Server-side apply: the fields in `object` become this field manager's; fields that it owned and that are missing now go away. */
  async apply<T extends KubernetesObject>(
    kind: Kind<T>,
    object: Draft<T>,
    options: ApplyOptions = {},
    signal?: AbortSignal,
  ): Promise<T> {
    const request = {
      method: 'PATCH',
      path: objectPath(kind, object.metadata, options.subresource),
      query: { force: options.force === true ? 'true' : undefined },
      body: typed(kind, object),
      contentType: 'application/apply-patch+yaml',
    } as const
    return this.#write(kind, request, options, signal)
  }

  /** Replaces the object. @throws ConflictError where it changed since `metadata.resourceVersion`, which is required. */
  async update<T extends KubernetesObject>(
    kind: Kind<T>,
    object: T,
    options: UpdateOptions = {},
    signal?: AbortSignal,
  ): Promise<T> {
    requireVersion(kind, object)
    const path = objectPath(kind, object.metadata, options.subresource)
    return this.#write(kind, { method: 'PUT', path, body: typed(kind, object) }, options, signal)
  }

  /**
   * Replaces the status, all of it. Send the metadata as it was read: some built-in kinds take labels from it. With `metadata.uid` the precondition
   * holds against an object that was deleted and made again, too.
   *
   * @throws ConflictError where the object changed since `metadata.resourceVersion`, which is required.
   */
  async updateStatus<T extends KubernetesObject & { readonly status?: unknown }>(
    kind: Kind<T>,
    object: Pick<T, 'metadata' | 'status'>,
    options: WriteOptions = {},
    signal?: AbortSignal,
  ): Promise<T> {
    requireVersion(kind, object)
    const { metadata, status } = object
    const body = typed(kind, { metadata, status } as KubernetesObject)
    return this.#write(kind, { method: 'PUT', path: objectPath(kind, metadata, 'status'), body }, options, signal)
  }

  /** JSON merge patch (RFC 7386): null removes a field, lists are replaced. */
  async patch<T extends KubernetesObject>(
    kind: Kind<T>,
    name: ObjectName,
    patch: Readonly<Record<string, unknown>>,
    options: PatchOptions = {},
    signal?: AbortSignal,
  ): Promise<T> {
    const path = objectPath(kind, name, options.subresource)
    const contentType = 'application/merge-patch+json'
    return this.#write(kind, { method: 'PATCH', path, body: patch, contentType }, options, signal)
  }

  /** Resolves when the server has accepted the deletion; finalizers may keep the object for longer. */
  async delete<T extends KubernetesObject>(
    kind: Kind<T>,
    name: ObjectName,
    options: DeleteOptions = {},
    signal?: AbortSignal,
  ): Promise<void> {
    const { preconditions, propagation, dryRun } = options
    // The query would do for a bare DELETE, but the server ignores it beside a body: what is to be a dry run must say so in here.
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions,
      propagationPolicy: propagation,
      dryRun: dryRun === true ? ['All'] : undefined,
    }
    await this.#transport.request({ method: 'DELETE', path: objectPath(kind, name), body }, signal)
  }

  /**
   * Opens a watch with bookmarks. The promise settles when the server has accepted it; then iterate, or abort the signal. The iteration ends when the
   * server ends the stream in good order and throws otherwise. Use a Reflector unless you need the bare events.
   */
  async watch<T extends KubernetesObject>(
    kind: Kind<T>,
    options: WatchOptions,
    signal: AbortSignal,
  ): Promise<AsyncIterable<WatchEvent<T>>> {
    const path = collectionPath(kind, options.namespace)
    const query = {
      ...selection(options),
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: options.resourceVersion,
      timeoutSeconds: String(options.timeoutSeconds),
    }
    const stream = await this.#transport.stream({ method: 'GET', path, query }, signal)
    return readWatchEvents<T>(stream, `GET ${path}`, maxEventBytes)
  }

  /** Ends watches, lets requests in flight finish; the client cannot be used afterwards. */
  async close(): Promise<void> {
    await this.#transport.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #write<T extends KubernetesObject>(
    kind: Kind<T>,
    request: TransportRequest,
    options: WriteOptions,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const dryRun = options.dryRun === true ? 'All' : undefined
    const query = { ...request.query, fieldManager: this.#fieldManager, dryRun }
    return this.#object(kind, { ...request, query }, signal)
  }

  async #object<T extends KubernetesObject>(
    kind: Kind<T>,
    request: TransportRequest,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const secret = kind.apiVersion === 'v1' && kind.kind === 'Secret'
    return (await this.#transport.request({ ...request, secret }, signal)) as T
  }
}

function selection({ labelSelector, fieldSelector }: Selection): Record<string, string | undefined> {
  return { labelSelector, fieldSelector }
}

/** managedFields are the server's; an apply that holds them is refused. */
function typed(kind: Kind<KubernetesObject>, object: KubernetesObject): KubernetesObject {
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, apiVersion: kind.apiVersion, kind: kind.kind, metadata }
}

function requireVersion(kind: Kind<KubernetesObject>, object: Pick<KubernetesObject, 'metadata'>): void {
  const { name, resourceVersion } = object.metadata
  if (resourceVersion !== undefined && resourceVersion !== '') return
  throw new KubeError({
    code: 'VersionMissing',
    message: `${kind.kind} ${name}: metadata.resourceVersion is missing; update what was read, or use apply`,
  })
}
