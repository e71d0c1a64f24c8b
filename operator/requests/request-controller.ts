import type { Host, HostRequest, HostRequestStatus } from '@keelson/api'
import { nameOf, NotFoundError, type KubeClient, type ReadonlyStore } from '@keelson/kube'
import type { Logger } from 'pino'
import { timestamp } from '../conditions.ts'
import { addressCheck } from '../delivery/address.ts'
import type { HostPools } from '../delivery/host-pools.ts'
import { hostRequestKind } from '../kinds.ts'
import { interruptedVerdict, planOf } from './begin.ts'
import { isFinal, statusOf, verdictOf, type Verdict } from './request-status.ts'
import { parallelismOf, Run } from './run.ts'
import { sender } from './sender.ts'

export type RequestControllerOptions = {
  readonly client: KubeClient
  /** Hosts come from the inventory, never from a request. */
  readonly hosts: ReadonlyStore<Host>
  readonly pools: HostPools
  readonly allowLoopback: boolean
  /** Asks for the key to be looked at again, after so many milliseconds. */
  readonly requeue: (key: string, afterMs: number) => void
  readonly now: () => Date
  readonly logger: Logger
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
  /** By key the id of a run that was, or may have been, written down as RUNNING, and of which certainly nothing was sent. */
  readonly #unsent = new Map<string, string>()
  #stopped = false

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
      this.#options.logger.info({ key, run: started.run.record.id }, 'run ended early: its request changed or is gone')
    }
    if (request === undefined || request.metadata.deletionTimestamp !== undefined) {
      this.#unsent.delete(key)
      return
    }
    const current = this.#runs.get(key)
    if (current === undefined) await this.#begin(key, request, signal)
    else await this.#report(key, request, current.run, signal)
  }

  /** Resolves when the signal is aborted and nothing is in flight. Runs end at once and without a word: the next operator finds them RUNNING. */
  async run(signal: AbortSignal): Promise<void> {
    if (!signal.aborted)
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    this.#stopped = true
    await Promise.all([...this.#runs.values()].map(({ run }) => run.abort()))
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
    if (status?.observedGeneration === generation && status.run.id === id) {
      if (isFinal(status.state)) return
      // Unless it is our own write, whose answer was lost.
      if (status.state === 'RUNNING' && spec.http.method !== 'GET' && this.#unsent.get(key) !== id) {
        await this.#refuse(key, request, interruptedVerdict(status), status.run, signal)
        return
      }
    }
    if (this.#stopped) return
    const { hosts, pools, allowLoopback, requeue, now, logger } = this.#options
    const identity = { id, startTime: timestamp(now()) }
    const plan = planOf(spec, hosts.list())
    if (plan.refused !== undefined) {
      await this.#refuse(key, request, plan.refused, identity, signal)
      return
    }
    const { targets } = plan
    this.#unsent.set(key, id)
    await this.#write(request, verdictOf({ targets, outcomes: [], ended: false }), identity, signal)
    // Stopped while that was written: the next operator is told of an interruption of which nobody got anything.
    if (this.#stopped) return
    this.#unsent.delete(key)
    const run = new Run({
      ...{ ...identity, targets, now },
      parallelism: parallelismOf(plan.spec.parallelism, targets.online.length),
      deliver: sender(plan.spec, pools, addressCheck({ allowLoopback })),
      changed: (ended) => requeue(key, ended ? 0 : progressIntervalMs),
    })
    this.#runs.set(key, { uid: request.metadata.uid ?? '', generation, run })
    logger.info({ key, run: id, hosts: targets.online.length }, 'run begun')
  }

  async #report(key: string, request: HostRequest, run: Run, signal: AbortSignal): Promise<void> {
    // Taken together, before the write: the run goes on meanwhile.
    const { ended, verdict, record } = run
    await this.#write(request, verdict, record, signal)
    if (!ended) return
    this.#runs.delete(key)
    this.#options.logger.info({ key, run: record.id, state: verdict.state, counts: verdict.counts }, 'run ended')
  }

  /** Ends a run of which this operator sends nothing. */
  async #refuse(
    key: string,
    request: HostRequest,
    verdict: Verdict,
    { id, startTime }: HostRequestStatus['run'],
    signal: AbortSignal,
  ): Promise<void> {
    const { now, logger } = this.#options
    await this.#write(request, verdict, { id, startTime, finishTime: timestamp(now()) }, signal)
    logger.info({ key, run: id, reason: verdict.reason }, 'run refused')
  }

  async #write(
    { metadata, status: present }: HostRequest,
    verdict: Verdict,
    run: HostRequestStatus['run'],
    signal: AbortSignal,
  ): Promise<void> {
    const { client, now } = this.#options
    const generation = metadata.generation ?? 0
    const status = statusOf(verdict, { generation, run, present: present?.conditions, now: now() })
    await client.updateStatus(hostRequestKind, { metadata, status }, {}, signal)
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
