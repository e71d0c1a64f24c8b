import { setTimeout as sleep } from 'node:timers/promises'
import type { Host, HostRequest, HostRequestSpec } from '@keelson/api'
import type { KubeClient, Leadership, ReadonlyStore } from '@keelson/kube'
import type { Logger } from 'pino'
import { internalAddress } from '../hosts/host-object.ts'
import { amountOf } from '../runs/amount.ts'
import { retryDelayMs } from '../runs/backoff.ts'
import { carryOut, type Finish, type RunEnd, type RunPorts, type Sent } from '../runs/carry-out.ts'
import type { RunRecord } from '../runs/run-record.ts'
import { sendingOrder, waveEnds } from '../runs/wave-plan.ts'
import type { Unsuccessful } from './outcome.ts'
import { runIdOf, StatusRunStore } from './run-store.ts'
import { isSafe, type Deliver } from './sender.ts'
import { isMeant, isOnline } from './targets.ts'
import type { RunView } from './verdict.ts'

export type RunOptions = {
  readonly client: KubeClient
  /** The inventory, as it is now. */
  readonly hosts: ReadonlyStore<Host>
  /** Its status holds the record of the run. */
  readonly request: HostRequest
  readonly spec: HostRequestSpec
  /** Frozen when the run began. */
  readonly names: readonly string[]
  /** What is sent is sent in its name. */
  readonly leadership: Leadership
  /** How long deliveries under way may go on when the run comes to rest, in milliseconds. */
  readonly drainMs: number
  readonly deliver: Deliver
  readonly now: () => Date
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly logger: Logger
}

/** How many targets a claim covers, for each delivery at a time. */
const windowFactor = 8
const progressIntervalMs = 1_000
/** How soon a host that is back is noticed. */
const absenceIntervalMs = 1_000
const maxStoreBackOffMs = 30_000
/** For the one write that is left when nothing is under way any more. */
const lastWriteMs = 3_000

/** One generation of a HostRequest carried out by this operator, from its record to its end. Begins at once. */
export class Run {
  readonly id: string
  /** Rejects with the reason of the abort, or where the operator itself is at fault. */
  readonly end: Promise<RunEnd>
  readonly #options: RunOptions
  readonly #abort = new AbortController()
  readonly #rest = new AbortController()
  readonly #cutOff = new AbortController()
  readonly #details = new Map<number, Unsuccessful>()
  readonly #deadlineMs: number

  constructor(options: RunOptions) {
    this.#options = options
    this.id = runIdOf(options.request)
    const { status } = options.request
    // The start is told in whole seconds, cut off: nobody gets less time than was asked for.
    this.#deadlineMs = Date.parse(status?.run.startTime ?? '') + (1 + options.spec.activeDeadlineSeconds) * 1_000
    for (const { host, reason, code, message } of status?.failures ?? [])
      this.#remember(host, { outcome: 'failed', reason, message, ...(code === undefined ? {} : { code }) })
    this.end = this.#carryOut()
    this.end.catch(() => {})
  }

  get aborted(): boolean {
    return this.#abort.signal.aborted
  }

  /** Closes the connections in flight and sends nothing more; resolves when that is so. */
  async abort(): Promise<void> {
    this.#abort.abort()
    await this.end.catch(() => {})
  }

  /**
   * Begins nothing more, gives what is under way its time, and writes down what is known: hosts that were claimed and not sent to are free for whoever
   * carries the run on. Resolves when nothing is in flight, in bounded time also where the API server is away.
   */
  async rest(): Promise<void> {
    const { drainMs } = this.#options
    this.#rest.abort()
    const cutOff = setTimeout(() => this.#cutOff.abort(), drainMs)
    const giveUp = setTimeout(() => this.#abort.abort(), drainMs + lastWriteMs)
    await this.end.catch(() => {})
    clearTimeout(cutOff)
    clearTimeout(giveUp)
  }

  async #carryOut(): Promise<RunEnd> {
    const { spec, names, leadership } = this.#options
    const { http, waves } = spec
    const parallelism = Math.max(1, amountOf(spec.parallelism, names.length))
    const claims = !isSafe(http.method)
    const policy = {
      ...{ order: sendingOrder(names.length, waves, this.id), waves: waveEnds(names.length, waves) },
      ...{
        window: claims ? windowFactor * parallelism : names.length,
        maxFailures: amountOf(spec.maxFailures, names.length),
      },
      ...{ onFailure: spec.onFailure, onOffline: spec.onOffline, retryLimit: spec.retry.limit },
    }
    const options = { policy, parallelism, claims, onUnknown: spec.onUnknown, epoch: leadership.epoch }
    return carryOut(options, this.#ports(), this.#abort.signal)
  }

  #ports(): RunPorts {
    const { random } = this.#options
    const pause = async (milliseconds: number, signal: AbortSignal) => {
      await sleep(milliseconds, undefined, { signal })
    }
    return {
      store: new StatusRunStore({ ...this.#options, view: (record, finish) => this.#view(record, finish) }),
      send: (index, round, signal) => this.#send(index, round, signal),
      isOffline: (index) => {
        const host = this.#host(index)
        return host === undefined || !isOnline(host)
      },
      isExpired: () => this.#options.now().getTime() >= this.#deadlineMs,
      changed: (signal) => pause(absenceIntervalMs, signal),
      progressDue: (signal) => pause(progressIntervalMs, signal),
      backOff: (round, signal) => pause(retryDelayMs(round, random), signal),
      storeBackOff: (attempt, signal) =>
        pause(attempt === 1 ? 0 : Math.min(maxStoreBackOffMs, 100 * 2 ** attempt) * random(), signal),
      resting: this.#rest.signal,
      cutOff: this.#cutOff.signal,
    }
  }

  #host(index: number): Host | undefined {
    return this.#options.hosts.get(this.#options.names[index]!)
  }

  async #send(index: number, round: number, signal: AbortSignal): Promise<Sent> {
    this.#assertLeading()
    const host = this.#host(index)
    const name = this.#options.names[index]!
    const idempotencyKey = `${this.id}/${round}/${host?.metadata.uid ?? name}`
    const address = internalAddress(host?.status?.addresses ?? [])
    try {
      const outcome = await this.#options.deliver({ host: name, address, idempotencyKey }, signal)
      if (outcome.outcome !== 'succeeded') this.#details.set(index, outcome)
      return outcome.outcome
    } catch (error) {
      signal.throwIfAborted()
      // A mistake of ours at one host must not keep the others from their outcome, nor the run from its end.
      const message = `the operator failed: ${error instanceof Error ? error.name : 'unknown'}`
      this.#details.set(index, { outcome: 'unknown', reason: 'InternalError', message })
      return 'unknown'
    }
  }

  /** Asked before each delivery: a process that was stopped for long, or starved, hears of the end of its term only later. */
  #assertLeading(): void {
    const { leadership } = this.#options
    if (leadership.isHeld()) return
    this.#abort.abort(leadership.signal.reason)
    this.#abort.signal.throwIfAborted()
  }

  /** What an earlier operator told of a host. Whether it failed or is unknown, the record says. */
  #remember(host: string, failure: Unsuccessful): void {
    const index = this.#options.names.indexOf(host)
    if (index >= 0) this.#details.set(index, failure)
  }

  #view(record: RunRecord, finish: Finish | undefined): RunView {
    const { names, spec } = this.#options
    const notTargeted = names.filter((_, index) => {
      const host = this.#host(index)
      return host !== undefined && !isMeant(spec, host)
    })
    return { names, record, finish, details: this.#details, notTargeted: new Set(notTargeted) }
  }
}
