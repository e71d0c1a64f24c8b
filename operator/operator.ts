import type { Host, HostRequest } from '@keelson/api'
import {
  ConflictError,
  Controller,
  keyOf,
  kinds,
  Reflector,
  WorkQueue,
  type Change,
  type KubeClient,
  type Node,
} from '@keelson/kube'
import type { Logger } from 'pino'
import { HostPools, type ClientCertificate } from './delivery/host-pools.ts'
import { HostController } from './hosts/host-controller.ts'
import { hostKind, hostRequestKind } from './kinds.ts'
import { RequestController } from './requests/request-controller.ts'

export type OperatorOptions = {
  readonly client: KubeClient
  readonly tls: ClientCertificate
  readonly factsIntervalMs: number
  /** For test beds whose hosts are processes of one machine. */
  readonly allowLoopback: boolean
  readonly logger: Logger
}

const hostConcurrency = 16
const requestConcurrency = 8

/** Runs the operator until the signal is aborted. Throws if one of its parts ends before that. */
export async function runOperator(options: OperatorOptions, signal: AbortSignal): Promise<void> {
  const { client, logger, allowLoopback, factsIntervalMs } = options
  await using pools = new HostPools(options.tls)
  const reflect = <T extends Node | Host | HostRequest>(kind: Parameters<typeof KubeClient.prototype.list<T>>[0]) =>
    new Reflector<T>({
      client,
      kind,
      onError: (error) => logger.warn({ kind: kind.kind, err: error }, 'watch failed, going on'),
    })
  const nodes = reflect<Node>(kinds.Node)
  const hosts = reflect<Host>(hostKind)
  const requests = reflect<HostRequest>(hostRequestKind)

  const now = () => new Date()
  const requestQueue = new WorkQueue()
  const hostController = new HostController({
    ...{ client, pools, allowLoopback, factsIntervalMs, now },
    ...{ nodes: nodes.store, hosts: hosts.store, random: Math.random },
  })
  const requestController = new RequestController({
    ...{ client, pools, allowLoopback, now, hosts: hosts.store },
    requeue: (key, afterMs) => requestQueue.addAfter(key, afterMs),
  })
  const onError = (key: string, error: unknown) => {
    // Somebody else wrote first: the ordinary way of things, and the next try reads anew.
    if (error instanceof ConflictError) logger.debug({ key }, 'object changed meanwhile, will be read anew')
    else logger.warn({ key, err: error }, 'reconcile failed, will be tried again')
  }
  const hostLoop = new Controller({
    ...{ sources: [nodes, hosts], concurrency: hostConcurrency, onError },
    reconcile: (key, stop) => hostController.reconcile(key, stop),
  })
  const requestLoop = new Controller({
    // Nodes and Hosts come first: half an inventory would look like unknown names.
    ...{ sources: [requests, hosts], queue: requestQueue, concurrency: requestConcurrency, onError },
    reconcile: (key, stop) => requestController.reconcile(key, stop),
  })
  nodes.onChange(({ object }) => hostLoop.enqueue(keyOf(object)))
  hosts.onChange((change) => {
    // Not for our own status writes: those would ask every agent again.
    if (change.type !== 'updated' || !sameLabels(change)) hostLoop.enqueue(keyOf(change.object))
  })
  requests.onChange((change) => {
    // A label edit or a status write is no new wish.
    if (change.type !== 'updated' || change.previous.metadata.generation !== change.object.metadata.generation)
      requestLoop.enqueue(keyOf(change.object))
  })
  try {
    await Promise.all([nodes, hosts, requests, hostLoop, requestLoop].map((part) => part.run(signal)))
  } finally {
    await requestController.stop()
  }
}

function sameLabels(change: Change<Host>): boolean {
  return JSON.stringify(change.object.metadata.labels) === JSON.stringify(change.previous?.metadata.labels)
}
