import { setTimeout as sleep } from 'node:timers/promises'
import { HostRequestSpec, type Host, type HostRequest } from '@keelson/api'
import type { KubeClient, Leadership, ReadonlyStore } from '@keelson/kube'
import type { Logger } from 'pino'
import { boundedText } from '../bounded-text.ts'
import { internalAddress } from '../hosts/host-object.ts'
import type { OperatorMetrics } from '../metrics/operator-metrics.ts'
import { retryDelayMs } from '../runs/backoff.ts'
import { carryOut, type RunEnd, type RunPorts, type Sent, type Word } from '../runs/carry-out.ts'
import type { RunPolicy } from '../runs/decide.ts'
import type { RunRecord } from '../runs/run-record.ts'
import type { Answer, Unsuccessful } from './outcome.ts'
import { runIdOf } from './run-identity.ts'
import { deadlineOf, parallelismOf, policyOf } from './run-policy.ts'
import { StatusRunStore } from './run-store.ts'
import { SupersededError } from './agent-protocol.ts'
import { needsClaim, type Deliver } from './sender.ts'
import { isMeant, isOnline } from './targets.ts'
import type { RunView } from './run-view.ts'
import { nothingTold, toldIn, type Told } from './told.ts'
import { verdictOf, type Verdict } from './verdict.ts'

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
  readonly metrics: Pick<OperatorMetrics, 'add' | 'observe'>
  readonly now: () => Date
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly logger: Logger
}

/** How soon the first word on progress comes; each later one takes a fifth longer, so that a run over thousands of hosts is few writes. */
const progressIntervalMs = 1_000
const maxProgressIntervalMs = 10_000
/** How soon a host that is back is noticed. */
const absenceIntervalMs = 1_000
const maxStoreBackOffMs = 30_000
/** For the one write that is left when nothing is under way any more. */
const lastWriteMs = 3_000

/** One run of a HostRequest carried out by this operator, from its record to its end or to where it is to halt. Begins at once. */
export class Run {
  readonly id: string
  /** Rejects with the reason of the abort, or where the operator itself is at fault. */
  readonly end: Promise<RunEnd>
  readonly #options: RunOptions
  readonly #abort = new AbortController()
  readonly #rest = new AbortController()
  readonly #cutOff = new AbortController()
  readonly #details = new Map<number, Unsuccessful>()
  readonly #answers = new Map<number, Answer>()
  readonly #told: Told
  /** As it is now: what steers the run may change under way. */
  #spec: HostRequestSpec
  #policy: RunPolicy
  /** Aborted when the spec changes, so that whoever waits looks again. */
  #steered = new AbortController()

  constructor(options: RunOptions) {
    this.#options = options
    this.id = runIdOf(options.request)
    const { status } = options.request
    this.#spec = options.spec
    this.#policy = policyOf({ ...options, id: this.id })
    this.#told = status === undefined ? nothingTold : toldIn(status, options.names)
    this.end = this.#carryOut()
    this.end.catch(() => {})
  }

  /** Goes on under the spec of this object, which is another generation of the same run. */
  steer(request: HostRequest): void {
    const { data: spec } = HostRequestSpec.safeParse(request.spec)
    if (spec === undefined || JSON.stringify(spec) === JSON.stringify(this.#spec)) return
    this.#spec = spec
    const { maxFailures, onFailure } = policyOf({ ...this.#options, spec, id: this.id })
    this.#policy = { ...this.#policy, maxFailures, onFailure }
    this.#steered.abort()
    this.#steered = new AbortController()
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
    const { spec, leadership } = this.#options
    const options = {
      ...{ policy: () => this.#policy, parallelism: parallelismOf(this.#options), claims: needsClaim(spec.http) },
      ...{ onUnknown: spec.onUnknown, epoch: leadership.epoch },
    }
    return carryOut(options, this.#ports(), this.#abort.signal)
  }

  #ports(): RunPorts {
    const { random, request } = this.#options
    const { startTime } = request.status!.run
    const pause = async (milliseconds: number, signal: AbortSignal) => {
      await sleep(milliseconds, undefined, { signal })
    }
    const pauseUntilSteered = async (milliseconds: number, signal: AbortSignal) => {
      const steered = this.#steered.signal
      await pause(milliseconds, AbortSignal.any([signal, steered])).catch((error: unknown) => {
        if (signal.aborted || !steered.aborted) throw error
      })
    }
    let told = 0
    return {
      store: new StatusRunStore({
        ...this.#options,
        view: (record, word) => this.#view(record, word),
        found: (present) => this.steer(present),
      }),
      send: (index, round, signal) => this.#send(index, round, signal),
      isOffline: (index) => {
        const host = this.#host(index)
        return host === undefined || !isOnline(host)
      },
      isExpired: () => this.#options.now().getTime() >= deadlineOf(this.#spec, startTime),
      isSuspended: () => this.#spec.suspend,
      changed: (signal) => pauseUntilSteered(absenceIntervalMs, signal),
      progressDue: (signal) => pause(Math.min(maxProgressIntervalMs, progressIntervalMs * 1.2 ** told++), signal),
      backOff: (round, signal) => pauseUntilSteered(retryDelayMs(round, random), signal),
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
    const begun = performance.now()
    try {
      const outcome = await this.#options.deliver({ host: name, address, idempotencyKey }, signal)
      this.#measure(outcome.outcome, (performance.now() - begun) / 1_000)
      const { answer, ...rest } = outcome
      if (rest.outcome === 'succeeded') this.#details.delete(index)
      else this.#details.set(index, rest)
      if (answer === undefined) this.#answers.delete(index)
      else this.#answers.set(index, answer)
      return outcome.outcome
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof SupersededError) return this.#superseded(index, error)
      // A mistake of ours at one host must not keep the others from their outcome, nor the run from its end.
      const message = `the operator failed: ${error instanceof Error ? error.name : 'unknown'}`
      this.#details.set(index, { outcome: 'unknown', reason: 'InternalError', message })
      return 'unknown'
    }
  }

  #measure(outcome: Sent, seconds: number): void {
    const { metrics } = this.#options
    metrics.add('keelson_deliveries_total', { outcome }, 1)
    metrics.observe('keelson_delivery_duration_seconds', { outcome }, seconds)
  }

  /**
   * Where the lease is not ours any more, that ends the run. Where it is, the word of one agent, which may be in strange hands, ends nothing but its own
   * part: the host has failed, with nothing done.
   */
  #superseded(index: number, { code: reason, message }: SupersededError): Sent {
    this.#assertLeading()
    this.#details.set(index, { outcome: 'failed', reason, message: boundedText(message, 256) })
    return 'failed'
  }

  /** Asked before each delivery: a process that was stopped for long, or starved, hears of the end of its term only later. */
  #assertLeading(): void {
    const { leadership } = this.#options
    if (leadership.isHeld()) return
    this.#abort.abort(leadership.signal.reason)
    this.#abort.signal.throwIfAborted()
  }

  /** What is said of the run, now that it has ended or halted so. */
  verdict({ record, ...word }: Word & { readonly record: RunRecord }): Verdict {
    return verdictOf(this.#view(record, word))
  }

  #view(record: RunRecord, word: Word | undefined): RunView {
    const { names, spec } = this.#options
    const notTargeted = names.filter((_, index) => {
      const host = this.#host(index)
      return host !== undefined && !isMeant(spec, host)
    })
    const known = { details: this.#details, answers: this.#answers, told: this.#told }
    return { names, record, word, ...known, notTargeted: new Set(notTargeted) }
  }
}
