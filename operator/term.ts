import type { Host, HostRequest } from '@keelson/api'
import {
  AlreadyExistsError,
  ConflictError,
  Controller,
  EventRecorder,
  keyOf,
  kinds,
  NotFoundError,
  Reflector,
  WorkQueue,
  type Kind,
  type KubeClient,
  type KubernetesObject,
  type Leadership,
  type Node,
} from '@keelson/kube'
import type { Logger } from 'pino'
import { PolicyGate } from './authorisation/policy-gate.ts'
import { WriteOrder } from './delivery/write-order.ts'
import { HostPools, type ClientCertificate } from './delivery/host-pools.ts'
import { ClusterAddressesPoller } from './hosts/cluster-addresses.ts'
import { FactsPoller } from './hosts/facts-poller.ts'
import { HostAddresses } from './hosts/host-addresses.ts'
import { HostController } from './hosts/host-controller.ts'
import { Inventory } from './hosts/inventory.ts'
import { hostKind, hostRequestKind } from './kinds.ts'
import { operatorLease } from './lease.ts'
import { OperatorMetrics } from './metrics/operator-metrics.ts'
import { RequestController } from './requests/request-controller.ts'
import { isFinal } from './requests/request-status.ts'
import { RunReporter } from './requests/run-reporter.ts'
import { Health } from './serving/health.ts'
import { defaultAgentLifetimeMs } from './signing/authority.ts'
import { openSigning } from './signing/open-signing.ts'
import type { Signing } from './signing/signing.ts'

export type TermOptions = {
  readonly client: KubeClient
  /** By this the operator proves itself where somebody else hands certificates out; absent: it signs agents and itself. */
  readonly tls?: ClientCertificate | undefined
  /** How long the certificates of agents live; default 30 days. */
  readonly agentLifetimeMs?: number
  readonly factsIntervalMs: number
  /** How long deliveries under way may go on when the term ends in good order; default 5 s. */
  readonly drainMs?: number
  /** For test beds whose hosts are processes of one machine. */
  readonly allowLoopback: boolean
  /** Ranges of the cluster's Services beside those that it tells of itself. */
  readonly serviceRanges?: readonly string[]
  readonly logger: Logger
  /** Absent where nobody asks. */
  readonly metrics?: OperatorMetrics
  readonly health?: Health
}

const hostConcurrency = 16
const requestConcurrency = 8
/** An agent that hangs holds one of these for 5 s. */
const factsConcurrency = 64
/** After an outage of the API server of whatever length everything is tried again within this. */
const maxBackoffMs = 30_000
/** For reconciles in flight when the term ends. */
const stopTimeoutMs = 5_000

/**
 * Everything that writes or sends, for one term as leader, with caches, queues and connections of its own. Ends when the term's signal is aborted and nothing is
 * in flight, or by itself when what it found was written by a leader of a higher epoch: that number is what it resolves to. Throws what one of its
 * parts throws.
 */
export async function runTerm(options: TermOptions, leadership: Leadership): Promise<number | undefined> {
  const { client, logger, allowLoopback, serviceRanges = [], factsIntervalMs, drainMs = 5_000 } = options
  const { agentLifetimeMs = defaultAgentLifetimeMs, metrics = new OperatorMetrics(), health = new Health() } = options
  const ending = new AbortController()
  const stop = AbortSignal.any([leadership.signal, ending.signal])
  const now = () => new Date()
  const common = { client, logger, now, random: Math.random, metrics }
  const reflect = <T extends KubernetesObject>(kind: Kind<T>, fieldSelector?: string) =>
    new Reflector<T>({
      ...{ client, kind, fieldSelector, metrics },
      onError: (error) => logger.warn({ kind: kind.kind, err: error }, 'watch failed, going on'),
    })
  const nodes = reflect<Node>(kinds.Node)
  const hosts = reflect<Host>(hostKind)
  const requests = reflect<HostRequest>(hostRequestKind)
  const policy = new PolicyGate({ client, reflect })
  const stores = { nodes: nodes.store, hosts: hosts.store }
  const order = new WriteOrder(leadership.epoch)
  const clusterAddresses = new ClusterAddressesPoller({ client, serviceRanges, logger })
  const hostAddresses = new HostAddresses(allowLoopback, () => clusterAddresses.present)
  const refuseAddress = hostAddresses.refuse
  const nodeUidOf = (host: string) => nodes.store.get(host)?.metadata.uid
  let signing: Signing | undefined
  await using pools = new HostPools(() => options.tls ?? signing!.identities.certificate('request'), {}, nodeUidOf)
  const events = new EventRecorder({
    ...{ client, metrics, reportingController: 'keelson.dev/operator' },
    onError: (error) => logger.debug({ err: error }, 'event not written'),
  })

  const factsPoller = new FactsPoller({
    ...{ ...common, ...stores, pools, refuseAddress, intervalMs: factsIntervalMs },
    changed: (name) => hostLoop.enqueue(name),
  })
  const hostController = new HostController({ ...common, ...stores, answer: (name) => factsPoller.answer(name) })
  let outrankedBy: number | undefined
  const requestController = new RequestController({
    ...{ ...common, ...stores, leadership, policy, order, drainMs, pools, refuseAddress },
    reporter: new RunReporter({ logger, events, metrics }),
    requeue: (key, afterMs) => requestQueue.addAfter(key, afterMs),
    onOutranked: (epoch) => {
      outrankedBy = Math.max(epoch, outrankedBy ?? epoch)
      ending.abort()
    },
  })

  const loop = (name: string, field: 'host' | 'key') => ({
    ...{ name, metrics, stopTimeoutMs },
    onError: (key: string, error: unknown) => {
      if (stop.aborted) return
      const fields = { [field]: key, err: error }
      // Somebody else wrote first, or a cache was behind: the ordinary way of things, and the next try reads anew.
      if (error instanceof ConflictError || error instanceof AlreadyExistsError || error instanceof NotFoundError)
        logger.debug(fields, 'object changed meanwhile, will be read anew')
      else logger.warn(fields, 'reconcile failed, will be tried again')
    },
    queue: new WorkQueue({ name, metrics, backoff: { initialMs: 5, maxMs: maxBackoffMs } }),
  })
  const hostLoop = new Controller({
    ...{ ...loop('host', 'host'), sources: [nodes, hosts], concurrency: hostConcurrency },
    reconcile: (key, overdue) => hostController.reconcile(key, overdue),
  })
  const factsLoop = new Controller({
    ...{
      ...loop('facts', 'host'),
      sources: [nodes, clusterAddresses],
      concurrency: factsConcurrency,
      stopTimeoutMs: 0,
    },
    reconcile: (key, overdue) => factsPoller.reconcile(key, overdue),
  })
  const inventory = new Inventory({
    nodes,
    hosts,
    clusterAddresses,
    isSettled: (name) => hostController.isSettled(name),
    logger,
  })
  const requestTools = loop('hostrequest', 'key')
  const requestQueue = requestTools.queue
  const requestLoop = new Controller({
    ...{ ...requestTools, sources: [requests, inventory, ...policy.sources], concurrency: requestConcurrency },
    reconcile: (key, overdue) => requestController.reconcile(key, overdue),
  })

  nodes.onChange(({ type, object }) => {
    if (type === 'deleted') hostAddresses.delete(object.metadata.name)
    else hostAddresses.set(object)
    hostLoop.enqueue(keyOf(object))
    factsLoop.enqueue(keyOf(object))
  })
  hosts.onChange(({ object }) => hostLoop.enqueue(keyOf(object)))
  requests.onChange((change) => {
    // A label edit or a status write is no new wish.
    if (change.type !== 'updated' || change.previous.metadata.generation !== change.object.metadata.generation)
      requestLoop.enqueue(keyOf(change.object))
  })
  policy.onChange(() => {
    for (const request of requests.store.list())
      if (request.status === undefined || !isFinal(request.status.state)) requestLoop.enqueue(keyOf(request))
  })

  using shown = new DisposableStack()
  const opened = Promise.withResolvers<void>()
  const certificates = { synced: async () => opened.promise }
  shown.use(health.begin(leadership, { certificates, nodes, inventory, requests, policy }))
  const policyMissing = () => policy.fault() !== undefined
  shown.use(metrics.watch({ hosts: hosts.store, requests: requests.store, policyMissing }))
  const note = `epoch ${leadership.epoch}`
  events.record(kinds.Lease, { metadata: operatorLease }, { type: 'Normal', reason: 'Leading', action: 'Elect', note })

  if (options.tls === undefined)
    signing = await openSigning({ ...common, hosts, nodes, order, refuseAddress, agentLifetimeMs }, leadership)
  opened.resolve()
  const reflectors = [nodes, hosts, requests, ...policy.sources]
  const loops = [clusterAddresses, hostLoop, factsLoop, requestLoop, requestController, events]
  // One that ends ends all.
  const running = [...reflectors, ...loops, ...(signing ? [signing] : [])].map((part) =>
    part.run(stop).finally(() => ending.abort()),
  )
  await Promise.allSettled(running)
  await Promise.all(running)
  return outrankedBy
}
