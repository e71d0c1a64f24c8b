import type { Host, HostRequest } from '@keelson/api'
import { nameOf, NotFoundError, type KubeClient, type ReadonlyStore } from '@keelson/kube'
import { addressCheck } from '../delivery/address.ts'
import type { HostPools } from '../delivery/host-pools.ts'
import { sender } from '../delivery/sender.ts'
import { timestamp } from '../conditions.ts'
import { hostRequestKind } from '../kinds.ts'
import { beginVerdict, interruptedVerdict, refusalOf } from './begin.ts'
import { statusOf, type Verdict } from './request-status.ts'
import { parallelismOf, Run } from './run.ts'
import { resolveTargets } from './targets.ts'

export type RequestControllerOptions = {
  readonly client: KubeClient
  /** Hosts come from the inventory, never from a request. */
  readonly hosts: ReadonlyStore<Host>
  readonly pools: HostPools
  readonly allowLoopback: boolean
  /** Asks for the key to be looked at again, after so many milliseconds. */
  readonly requeue: (key: string, afterMs: number) => void
  readonly now: () => Date
}

/** At most one write a second while a run is under way. */
const progressIntervalMs = 1_000

type Started = { readonly uid: string; readonly generation: number; readonly run: Run }

/**
 * Carries HostRequests out, each generation once.
 *
 * A run is written down as RUNNING, with a precondition on what was read, before its first byte is sent; so whoever finds RUNNING and
 * does not have the run itself knows that it was interrupted, and sends an unsafe method never again.
 */
export class RequestController {
  readonly #options: RequestControllerOptions
  readonly #runs = new Map<string, Started>()

  constructor(options: RequestControllerOptions) {
    this.#options = options
  }

  async reconcile(key: string, signal: AbortSignal): Promise<void> {
    // Read from the server, not from a cache: a cache that lags behind our own write would start a finished run again.
    const request = await this.#read(key, signal)
    const started = this.#runs.get(key)
    if (started !== undefined && !isOf(started, request)) {
      await started.run.abort()
      this.#runs.delete(key)
    }
    if (request === undefined || request.metadata.deletionTimestamp !== undefined) return
    const current = this.#runs.get(key)
    if (current === undefined) await this.#begin(key, request, signal)
    else await this.#report(key, request, current.run, signal)
  }

  /** Ends the runs under way without a word: the next leader finds them RUNNING. */
  async stop(): Promise<void> {
    await Promise.all([...this.#runs.values()].map(({ run }) => run.abort()))
    this.#runs.clear()
  }

  async #read(key: string, signal: AbortSignal): Promise<HostRequest | undefined> {
    try {
      return await this.#options.client.get(hostRequestKind, nameOf(key), signal)
    } catch (error) {
      if (error instanceof NotFoundError) return undefined
      throw error
    }
  }

  async #begin(key: string, request: HostRequest, signal: AbortSignal): Promise<void> {
    const { generation, id } = identityOf(request)
    const { status, spec } = request
    const startTime = timestamp(this.#options.now())
    if (status?.observedGeneration === generation && status.run.id === id) {
      if (status.state === 'SUCCESS' || status.state === 'ERROR') return
      if (status.state === 'RUNNING' && spec.http.method !== 'GET') {
        await this.#write(request, interruptedVerdict(status), { id, startTime: status.run.startTime }, signal)
        return
      }
    }
    const targets = resolveTargets(spec, this.#options.hosts.list())
    const refused = refusalOf(spec, targets)
    await this.#write(request, refused ?? beginVerdict(targets), { id, startTime }, signal)
    if (refused !== undefined) return
    const { pools, allowLoopback, requeue } = this.#options
    const deliver = sender(spec, pools, addressCheck({ allowLoopback }))
    const parallelism = parallelismOf(spec.parallelism, targets.online.length)
    const run = new Run({ id, startTime }, targets, parallelism, deliver, (ended) =>
      requeue(key, ended ? 0 : progressIntervalMs),
    )
    this.#runs.set(key, { uid: request.metadata.uid ?? '', generation, run })
  }

  async #report(key: string, request: HostRequest, run: Run, signal: AbortSignal): Promise<void> {
    const { ended, verdict, id, startTime } = run
    await this.#write(request, verdict, { id, startTime }, signal)
    if (ended) this.#runs.delete(key)
  }

  async #write(
    request: HostRequest,
    verdict: Verdict,
    run: { id: string; startTime: string },
    signal: AbortSignal,
  ): Promise<void> {
    const now = this.#options.now()
    const finished = verdict.state === 'SUCCESS' || verdict.state === 'ERROR'
    const { metadata } = request
    const status = statusOf(verdict, {
      generation: metadata.generation ?? 0,
      run: { ...run, ...(finished ? { finishTime: timestamp(now) } : {}) },
      present: request.status?.conditions,
      now,
    })
    await this.#options.client.updateStatus(hostRequestKind, { metadata, status }, {}, signal)
  }
}

function identityOf({ metadata }: HostRequest): { generation: number; id: string } {
  const generation = metadata.generation ?? 0
  return { generation, id: `${metadata.uid ?? ''}-${generation}` }
}

/** Deleted and made again is another object; a changed spec is another run. */
function isOf({ uid, generation }: Started, request: HostRequest | undefined): boolean {
  return request?.metadata.uid === uid && request.metadata.generation === generation
}
