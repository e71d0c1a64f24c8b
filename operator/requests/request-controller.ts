import type { Host, HostRequest } from '@keelson/api'
import { HostRequestSpec } from '@keelson/api'
import { nameOf, NotFoundError, type KubeClient, type Leadership, type ReadonlyStore } from '@keelson/kube'
import type { Logger } from 'pino'
import { timestamp } from '../conditions.ts'
import { addressCheck } from '../delivery/address.ts'
import type { HostPools } from '../delivery/host-pools.ts'
import { hostRequestKind } from '../kinds.ts'
import { digestOf } from '../runs/frozen-targets.ts'
import { IndexSet } from '../runs/index-set.ts'
import { beginning } from '../runs/run-record.ts'
import { planOf } from './begin.ts'
import { keepTargets, readTargets, TooManyTargetsError } from './frozen-config-map.ts'
import { isFinal, refusedStatus, runStatus, type StatusContext } from './request-status.ts'
import { Run } from './run.ts'
import { runIdOf } from './run-store.ts'
import { sender } from './sender.ts'
import type { Targets } from './targets.ts'
import type { Refusal } from './verdict.ts'

export type RequestControllerOptions = {
  readonly client: KubeClient
  /** All that is written and sent is of this term. */
  readonly leadership: Leadership
  /** Told of a record that a leader of a higher epoch wrote; nothing is done with it. */
  readonly onOutranked: (epoch: number) => void
  /** How long deliveries under way may go on when the term ends in good order, in milliseconds. */
  readonly drainMs: number
  /** Hosts come from the inventory, never from a request. */
  readonly hosts: ReadonlyStore<Host>
  readonly pools: HostPools
  readonly allowLoopback: boolean
  /** Asks for the key to be looked at again, after so many milliseconds. */
  readonly requeue: (key: string, afterMs: number) => void
  readonly now: () => Date
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly logger: Logger
}

/**
 * Carries HostRequests out, each generation once.
 *
 * A run is written down with its targets, with a precondition on what was read, before its first byte is sent; from then on its record in
 * the status is all that is needed to carry it on, by this operator or the next.
 */
export class RequestController {
  readonly #options: RequestControllerOptions
  readonly #runs = new Map<string, Run>()
  #stopped = false

  constructor(options: RequestControllerOptions) {
    this.#options = options
  }

  async reconcile(key: string, signal: AbortSignal): Promise<void> {
    // Read from the server, not from a cache: a cache that lags behind our own write would start a finished run again.
    const request = await this.#read(key, signal)
    const present = request?.metadata.deletionTimestamp === undefined ? request : undefined
    const run = this.#runs.get(key)
    if (run !== undefined && present !== undefined && run.id === runIdOf(present)) return
    if (run !== undefined) {
      await run.abort()
      this.#runs.delete(key)
      this.#options.logger.info({ key, run: run.id }, 'run ended early: its request changed or is gone')
    }
    if (present !== undefined && !this.#stopped) await this.#begin(key, present, signal)
  }

  /**
   * Resolves when the signal is aborted and nothing is in flight: at once where the lease is lost, else after what is known was written down. The
   * records tell the next operator how to go on.
   */
  async run(signal: AbortSignal): Promise<void> {
    if (!signal.aborted)
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    this.#stopped = true
    const held = this.#options.leadership.isHeld()
    await Promise.all([...this.#runs.values()].map((run) => (held ? run.rest() : run.abort())))
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
    const { client, hosts, leadership, onOutranked } = this.#options
    const { status } = request
    if (status?.run.id === runIdOf(request)) {
      if (isFinal(status.state)) return
      if (status.run.epoch > leadership.epoch) {
        onOutranked(status.run.epoch)
        return
      }
      const names = await readTargets(client, request, status.run.targets, signal)
      this.#start(key, request, HostRequestSpec.parse(request.spec), names)
      return
    }
    const plan = planOf(request.spec, hosts.list())
    if (plan.refused !== undefined) {
      await this.#refuse(key, request, plan.refused, signal)
      return
    }
    try {
      const prepared = await this.#prepare(request, plan.targets, signal)
      this.#start(key, prepared, plan.spec, plan.targets.names)
    } catch (error) {
      if (!(error instanceof TooManyTargetsError)) throw error
      await this.#refuse(key, request, { reason: error.code, msg: `${error.message}; nothing was sent` }, signal)
    }
  }

  /** Writes the run down, before anything is sent. */
  async #prepare(request: HostRequest, targets: Targets, signal: AbortSignal): Promise<HostRequest> {
    const { client, leadership } = this.#options
    const { names, notTargeted } = targets
    const skipped = IndexSet.of(notTargeted.map((name) => names.indexOf(name)))
    const view = {
      names,
      record: { ...beginning, epoch: leadership.epoch, skipped },
      details: new Map(),
      notTargeted: new Set(notTargeted),
    }
    const reference = await keepTargets(client, request, names, signal)
    const status = runStatus(view, this.#context(request, reference))
    return client.updateStatus(hostRequestKind, { metadata: request.metadata, status }, {}, signal)
  }

  #start(key: string, request: HostRequest, spec: HostRequestSpec, names: readonly string[]): void {
    if (this.#stopped) return
    const { client, leadership, drainMs, hosts, pools, allowLoopback, requeue, now, random, logger } = this.#options
    const deliver = sender(spec, pools, addressCheck({ allowLoopback }))
    const run = new Run({ client, hosts, request, spec, names, leadership, drainMs, deliver, now, random, logger })
    this.#runs.set(key, run)
    logger.info({ key, run: run.id, hosts: names.length }, 'run begun')
    run.end.then(
      (end) => {
        if (this.#runs.get(key) === run) this.#runs.delete(key)
        if (end.kind === 'lost') requeue(key, 0)
        else if (end.kind === 'resting') logger.info({ key, run: run.id }, 'run at rest, its record tells how to go on')
        else logger.info({ key, run: run.id, reason: end.reason }, 'run ended')
      },
      (error: unknown) => {
        if (run.aborted) return
        this.#runs.delete(key)
        logger.error({ key, run: run.id, err: error }, 'run failed, will be carried on')
        requeue(key, 1_000)
      },
    )
  }

  /** Ends a run of which nothing is sent. */
  async #refuse(key: string, request: HostRequest, refusal: Refusal, signal: AbortSignal): Promise<void> {
    const { client, logger } = this.#options
    const status = refusedStatus(refusal, this.#context(request, { names: [], digest: digestOf([]) }))
    await client.updateStatus(hostRequestKind, { metadata: request.metadata, status }, {}, signal)
    logger.info({ key, run: status.run.id, reason: refusal.reason }, 'run refused')
  }

  #context(request: HostRequest, targets: StatusContext['run']['targets']): StatusContext {
    const now = timestamp(this.#options.now())
    return {
      generation: request.metadata.generation ?? 0,
      run: { id: runIdOf(request), startTime: now, targets },
      present: request.status?.conditions,
      now,
    }
  }
}
