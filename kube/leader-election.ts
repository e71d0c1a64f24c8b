import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { abortable, aborted } from './abortable.ts'
import type { KubeClient } from './client.ts'
import { systemClock, type Clock } from './clock.ts'
import { AlreadyExistsError, ConflictError, ConnectionError, KubeError, NotFoundError } from './errors.ts'
import { kinds, type Lease } from './kinds.ts'
import { LeadershipLostError, Term, type Leadership } from './leadership.ts'
import { noMetrics, type MetricsSink } from './metrics.ts'
import { ObservedLease } from './observed-lease.ts'
import { within } from './within.ts'

export interface LeaderElectionOptions {
  /** One that is used for nothing else: its renewals must not queue behind slow requests for a free connection. */
  readonly client: Pick<KubeClient, 'get' | 'create' | 'update'>
  readonly lease: { readonly namespace: string; readonly name: string }
  /** Must never be used by two processes. Default: the host's name and something random. */
  readonly identity?: string
  /** Others may take the lease when they have seen it unchanged for this long. Written in whole seconds, rounded up. Default 15 s. */
  readonly leaseMs?: number
  /** The leader gives up when it could not renew for this long, counted from the start of the last successful request. Default 10 s. */
  readonly renewDeadlineMs?: number
  /** Between two attempts to renew, or to take; up to a fifth is added at random. Default 2 s. */
  readonly retryMs?: number
  /** How long the work may go on after its signal was aborted. Default 10 s. */
  readonly stopTimeoutMs?: number
  /**
   * Every term begins above this epoch, too: one that was seen in what a leader left behind. Asked whenever the lease is taken. For a Lease that was deleted
   * or restored and so counts from below.
   */
  readonly epochAbove?: () => number
  /** Told of every failed request; the election goes on by itself. */
  readonly onError?: (error: unknown) => void
  /** Told who holds the lease whenever that changes as seen from here; `''` is nobody. */
  readonly onHolder?: (identity: string) => void
  readonly metrics?: MetricsSink
  readonly clock?: Clock
  /** What the Lease says for people to read. No decision rests on it. */
  readonly wallClock?: () => Date
  /** Uniform in [0, 1). */
  readonly random?: () => number
}

const jitter = 0.2

/**
 * Runs `work` whenever this process is the leader, of all that share the Lease, and never without that: candidate → leader → candidate …, until `signal` is
 * aborted or the work returns or throws by itself.
 *
 * Two never lead at once, as long as monotonic clocks run at about the same speed (10 s against 15 s: within a third): the leader counts from before it sent
 * its last renewal, the others from after they first saw it, and each write asks that the Lease is still the one that was read. Times written in the
 * Lease are never compared with a clock.
 *
 * When `signal` is aborted, the work's signal is too; the lease is renewed until the work has ended and then given back, so that the next may take it at
 * its next look. A term that is lost ends likewise, and the process becomes a candidate again.
 *
 * @throws KubeError `LeaseTimesRefused`; `StopTimeout` where the work goes on after its time to stop: the process must end then, the lease runs out by itself.
 * And what the work throws, unless that is only its signal's abort coming back.
 */
export async function runAsLeader(
  options: LeaderElectionOptions,
  work: (leadership: Leadership) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const election = new Election(options)
  while (!signal.aborted) {
    using term = await election.campaign(signal)
    if (term === undefined) return
    if (await election.lead(term, work, signal)) return
  }
}

class Election {
  readonly #options: LeaderElectionOptions
  readonly #clock: Clock
  readonly #identity: string
  readonly #leaseMs: number
  readonly #renewDeadlineMs: number
  readonly #retryMs: number
  readonly #observed: ObservedLease

  constructor(options: LeaderElectionOptions) {
    const { leaseMs = 15_000, renewDeadlineMs = 10_000, retryMs = 2_000 } = options
    if (!(retryMs > 0 && renewDeadlineMs > retryMs * (1 + jitter) && leaseMs > renewDeadlineMs)) {
      throw new KubeError({
        code: 'LeaseTimesRefused',
        message: `lease ${leaseMs} ms must be longer than the renew deadline (${renewDeadlineMs} ms), and that longer than ${1 + jitter} times the retry period (${retryMs} ms)`,
      })
    }
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#identity = options.identity ?? `${hostname()}_${randomUUID()}`
    this.#leaseMs = leaseMs
    this.#renewDeadlineMs = renewDeadlineMs
    this.#retryMs = retryMs
    this.#observed = new ObservedLease(this.#clock, leaseMs, (identity) => {
      this.#quietly(() => this.#options.onHolder?.(identity))
    })
    this.#showLeading(false)
  }

  /** Tries until the lease is ours. Undefined: the signal was aborted. */
  async campaign(signal: AbortSignal): Promise<Term | undefined> {
    while (!signal.aborted) {
      try {
        const term = await this.#take()
        if (term?.isHeld() === true) return term
      } catch (error) {
        // Somebody else was faster: that is what an election is for.
        if (!(error instanceof ConflictError || error instanceof AlreadyExistsError)) this.#report(error)
      }
      await this.#pause(signal)
    }
    return undefined
  }

  /** Runs the work for one term. True: it returned by itself, not because it was told to. */
  async lead(term: Term, work: (leadership: Leadership) => Promise<void>, signal: AbortSignal): Promise<boolean> {
    const over = new AbortController()
    const stop = (): void => term.stop(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    this.#showLeading(true)
    const renewing = this.#renew(term, over.signal)
    const outcome = settled(async () => {
      if (!signal.aborted) await work(term)
    })
    try {
      await Promise.race([outcome, aborted(term.signal)])
      const stopTimeoutMs = this.#options.stopTimeoutMs ?? 10_000
      const result = await within(outcome, stopTimeoutMs, this.#clock)
      if (result === undefined) throw stopTimeout(term.epoch, stopTimeoutMs)
      const finished = !term.signal.aborted
      over.abort()
      await renewing
      if (term.isHeld()) await this.#release(term)
      if ('error' in result && !isAbort(result.error, term.signal)) throw result.error
      return finished
    } finally {
      over.abort()
      term[Symbol.dispose]()
      this.#showLeading(false)
      signal.removeEventListener('abort', stop)
    }
  }

  /** Takes the lease where it is free. @throws ConflictError, AlreadyExistsError where somebody wrote it since it was read. */
  async #take(): Promise<Term | undefined> {
    const found = await this.#read()
    if (!this.#observed.isFreeFor(this.#identity)) return undefined
    const start = this.#clock.now()
    const epoch = Math.max(this.#observed.epoch, this.#options.epochAbove?.() ?? -1) + 1
    const acquireTime = this.#timestamp(found)
    const spec = {
      ...found?.spec,
      holderIdentity: this.#identity,
      leaseDurationSeconds: Math.ceil(this.#leaseMs / 1_000),
      acquireTime,
      renewTime: acquireTime,
      leaseTransitions: epoch,
    }
    const { client, lease } = this.#options
    this.#observed.see(
      await this.#request((signal) =>
        found === undefined
          ? client.create(kinds.Lease, { metadata: lease, spec }, {}, signal)
          : client.update(kinds.Lease, { ...found, spec }, {}, signal),
      ),
    )
    return new Term(this.#clock, epoch, start + this.#renewDeadlineMs)
  }

  async #renew(term: Term, over: AbortSignal): Promise<void> {
    for (;;) {
      await this.#pause(over)
      if (over.aborted || !term.isHeld()) return
      const start = this.#clock.now()
      try {
        await this.#overwrite(term, (lease) => ({ renewTime: this.#timestamp(lease) }))
        term.extend(start + this.#renewDeadlineMs)
      } catch (error) {
        if (error instanceof LeadershipLostError) term.lose(error)
        this.#report(error)
      }
    }
  }

  /** A courtesy to the next: what fails here is only reported, the lease runs out by itself. */
  async #release(term: Term): Promise<void> {
    term[Symbol.dispose]()
    try {
      await this.#overwrite(term, (lease) => ({
        holderIdentity: '',
        leaseDurationSeconds: 1,
        renewTime: this.#timestamp(lease),
      }))
    } catch (error) {
      this.#report(error)
    }
  }

  /** Writes into the Lease as long as it is of this term. @throws LeadershipLostError */
  async #overwrite(term: Term, change: (lease: Lease) => NonNullable<Lease['spec']>): Promise<void> {
    const write = async (lease: Lease): Promise<void> => {
      const spec = { ...lease.spec, ...change(lease) }
      const { client } = this.#options
      this.#observed.see(await this.#request((signal) => client.update(kinds.Lease, { ...lease, spec }, {}, signal)))
    }
    try {
      await write(this.#observed.lease!)
    } catch (error) {
      if (!(error instanceof ConflictError || error instanceof NotFoundError)) throw error
      // Still ours if the answer to a write of ours was lost, or if somebody put a label on it.
      const found = await this.#read()
      if (found === undefined || !this.#observed.isOf(this.#identity, term.epoch)) {
        throw new LeadershipLostError(term.epoch, this.#observed.describe())
      }
      await write(found)
    }
  }

  /** Undefined: there is no Lease. */
  async #read(): Promise<Lease | undefined> {
    const { client, lease } = this.#options
    const found = await this.#request((signal) => client.get(kinds.Lease, lease, signal)).catch((error: unknown) => {
      if (error instanceof NotFoundError) return undefined
      throw error
    })
    this.#observed.see(found)
    return found
  }

  /**
   * Never the time that is there already, even if the wall clock stands still: the API server takes a write that changes nothing without making a new
   * resourceVersion of it, and the others would not see that we live.
   */
  #timestamp(present: Lease | undefined): string {
    const milliseconds = (this.#options.wallClock?.() ?? new Date()).toISOString().slice(0, -1)
    const time = `${milliseconds}000Z`
    return time === present?.spec?.renewTime ? `${milliseconds}001Z` : time
  }

  /** A connection that hangs must leave time for another attempt. */
  async #request<T>(send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const timeoutMs = this.#renewDeadlineMs / 2
    const timeout = new AbortController()
    const cancel = this.#clock.schedule(timeoutMs, () => {
      const message = `lease: no complete answer within ${timeoutMs} ms`
      timeout.abort(new ConnectionError({ code: 'DeadlineExceeded', message, retryable: true }))
    })
    try {
      return await abortable(send(timeout.signal), timeout.signal)
    } finally {
      cancel()
    }
  }

  /** Until the next attempt, or the signal is aborted. */
  async #pause(signal: AbortSignal): Promise<void> {
    const delayMs = this.#retryMs * (1 + jitter * (this.#options.random ?? Math.random)())
    const { promise, resolve } = Promise.withResolvers<void>()
    const end = (): void => resolve()
    const cancel = this.#clock.schedule(delayMs, end)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
    await promise
    cancel()
    signal.removeEventListener('abort', end)
  }

  #showLeading(leading: boolean): void {
    const { metrics = noMetrics, lease } = this.#options
    metrics.set('leader_election_master_status', { name: lease.name }, leading ? 1 : 0)
  }

  #report(error: unknown): void {
    this.#quietly(() => this.#options.onError?.(error))
  }

  #quietly(tell: () => void): void {
    try {
      tell()
    } catch {
      // There is nobody left to tell, and the election must go on.
    }
  }
}

async function settled(run: () => Promise<void>): Promise<{ readonly error?: unknown }> {
  try {
    await run()
    return {}
  } catch (error) {
    return { error }
  }
}

/** The work ended as it was told to. */
function isAbort(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false
  return (
    error === signal.reason ||
    error instanceof LeadershipLostError ||
    (error instanceof Error && error.name === 'AbortError')
  )
}

function stopTimeout(epoch: number, milliseconds: number): KubeError {
  const message = `epoch ${epoch}: the work goes on ${milliseconds} ms after it was told to stop; end the process`
  return new KubeError({ code: 'StopTimeout', message })
}
