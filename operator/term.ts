import { agentPort, type Host, type HostRequest } from '@keelson/api'
import {
  AlreadyExistsError,
  ConflictError,
  Controller,
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
import { HostAddresses, type RefuseAddress } from './hosts/host-addresses.ts'
import { HostController } from './hosts/host-controller.ts'
import { internalAddress } from './hosts/host-object.ts'
import { settle } from './hosts/settle.ts'
import { hostKind, hostRequestKind } from './kinds.ts'
import { RequestController } from './requests/request-controller.ts'
import { isFinal } from './requests/request-status.ts'
import type { AgentEndpoint } from './signing/agent-connection.ts'
import { defaultAgentLifetimeMs } from './signing/authority.ts'
import { Signing } from './signing/signing.ts'

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
}

const hostConcurrency = 16
const requestConcurrency = 8
/** An agent that hangs holds one of these for 5 s. */
const factsConcurrency = 64
/** At the start, for Hosts to catch up with their Nodes. */
const settleTimeoutMs = 60_000
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
  const ending = new AbortController()
  const stop = AbortSignal.any([leadership.signal, ending.signal])
  let outrankedBy: number | undefined
  const reflect = <T extends KubernetesObject>(kind: Kind<T>, fieldSelector?: string) =>
    new Reflector<T>({
      ...{ client, kind, fieldSelector },
      onError: (error) => logger.warn({ kind: kind.kind, err: error }, 'watch failed, going on'),
    })
  const nodes = reflect<Node>(kinds.Node)
  const hosts = reflect<Host>(hostKind)
  const requests = reflect<HostRequest>(hostRequestKind)
  const policy = new PolicyGate({ client, reflect })
  const newQueue = () => new WorkQueue({ backoff: { initialMs: 5, maxMs: maxBackoffMs } })
  const requestQueue = newQueue()
  const now = () => new Date()
  const order = new WriteOrder(leadership.epoch)
  const clusterAddresses = new ClusterAddressesPoller({ client, serviceRanges, logger })
  const hostAddresses = new HostAddresses(allowLoopback, () => clusterAddresses.present)
  const refuseAddress = hostAddresses.refuse
  const signing =
    options.tls === undefined ? await openSigning(options, { hosts, leadership, order, refuseAddress }) : undefined
  await using pools = new HostPools(() => options.tls ?? signing!.identities.certificate('request'))

  const factsPoller = new FactsPoller({
    ...{ pools, refuseAddress, nodes: nodes.store, intervalMs: factsIntervalMs, random: Math.random },
    changed: (name) => hostLoop.enqueue(name),
  })
  const hostController = new HostController({
    ...{ client, nodes: nodes.store, hosts: hosts.store, now },
    answer: (name) => factsPoller.answer(name),
  })
  const requestController = new RequestController({
    ...{
      client,
      leadership,
      policy,
      order,
      drainMs,
      pools,
      refuseAddress,
      now,
      logger,
      hosts: hosts.store,
      random: Math.random,
    },
    requeue: (key, afterMs) => requestQueue.addAfter(key, afterMs),
    onOutranked: (epoch) => {
      outrankedBy = Math.max(epoch, outrankedBy ?? epoch)
      ending.abort()
    },
  })
  const onError = (key: string, error: unknown) => {
    if (stop.aborted) return
    // Somebody else wrote first, or a cache was behind: the ordinary way of things, and the next try reads anew.
    if (error instanceof ConflictError || error instanceof AlreadyExistsError || error instanceof NotFoundError)
      logger.debug({ key, err: error }, 'object changed meanwhile, will be read anew')
    else logger.warn({ key, err: error }, 'reconcile failed, will be tried again')
  }
  /** Half an inventory would look like unknown names, and that of yesterday like hosts that are online. */
  const inventory = {
    synced: async (stopped?: AbortSignal) => {
      await Promise.all([nodes.synced(stopped), hosts.synced(stopped), clusterAddresses.synced(stopped)])
      const names = new Set([...nodes.store.list(), ...hosts.store.list()].map(keyOf))
      const behind = await settle([...names], (name) => hostController.isSettled(name), settleTimeoutMs, stopped)
      if (behind.length > 0)
        logger.warn(
          { hosts: behind.slice(0, 20), count: behind.length },
          'some Hosts do not follow their Nodes, going on',
        )
    },
  }
  const hostLoop = new Controller({
    ...{ sources: [nodes, hosts], queue: newQueue(), concurrency: hostConcurrency, stopTimeoutMs, onError },
    reconcile: (key, overdue) => hostController.reconcile(key, overdue),
  })
  const factsLoop = new Controller({
    ...{
      sources: [nodes, clusterAddresses],
      queue: newQueue(),
      concurrency: factsConcurrency,
      stopTimeoutMs: 0,
      onError,
    },
    reconcile: (key, overdue) => factsPoller.reconcile(key, overdue),
  })
  const requestLoop = new Controller({
    ...{
      sources: [requests, inventory, ...policy.sources],
      queue: requestQueue,
      concurrency: requestConcurrency,
      stopTimeoutMs,
      onError,
    },
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

  const parts = [
    clusterAddresses,
    nodes,
    hosts,
    requests,
    ...policy.sources,
    hostLoop,
    factsLoop,
    requestLoop,
    requestController,
    ...(signing ? [signing] : []),
  ]
  // One that ends ends all.
  const running = parts.map((part) => part.run(stop).finally(() => ending.abort()))
  await Promise.allSettled(running)
  await Promise.all(running)
  return outrankedBy
}

type SigningSurroundings = {
  readonly hosts: Reflector<Host>
  readonly leadership: Leadership
  readonly order: WriteOrder
  readonly refuseAddress: RefuseAddress
}

async function openSigning(
  options: TermOptions,
  { hosts, leadership, order, refuseAddress }: SigningSurroundings,
): Promise<Signing> {
  const { client, logger, agentLifetimeMs = defaultAgentLifetimeMs } = options
  const endpointOf = ({ metadata: { name: host }, status }: Host): AgentEndpoint | undefined => {
    const address = internalAddress(status?.addresses ?? [])
    return address === undefined || refuseAddress(host, address) !== undefined
      ? undefined
      : { host, address, port: agentPort }
  }
  const now = () => new Date()
  const writeHeaders = () => {
    leadership.assertHeld()
    return order.headers()
  }
  return Signing.open(
    { client, hosts, endpointOf, writeHeaders, agentLifetimeMs, now, random: Math.random, logger },
    leadership.signal,
  )
}
