import type { Clock } from './clock.ts'
import { KubeError } from './errors.ts'

/** The lease is somebody else's, or we cannot be sure any more that it is ours: nothing may be written in its name. */
export class LeadershipLostError extends KubeError {
  constructor(epoch: number, why: string) {
    super({ code: 'LeadershipLost', message: `epoch ${epoch}: the lease is not ours any more: ${why}` })
  }
}

/** One term as leader: from the taking of the lease until it is lost or given back. A later term of the same process is another one. */
export interface Leadership {
  /**
   * The Lease's `spec.leaseTransitions`: no two terms have the same, later ones have a higher one. Whoever takes writes and keeps the highest epoch that it
   * saw can so refuse what a leader of the past sends. It restarts at 0 if the Lease is deleted while no candidate runs, and goes back if etcd is restored from
   * a backup: then patch `leaseTransitions` of the Lease to a number that is high enough, the next term begins above it.
   */
  readonly epoch: number
  /**
   * Aborted when the lease is lost (a LeadershipLostError), and when the process is to stop (the reason of that; the lease is then still held and
   * renewed while the work winds up). A process that was stopped or busy hears it late: see `isHeld`.
   */
  readonly signal: AbortSignal
  /**
   * Whether the lease is ours for sure at this moment, by the monotonic clock; costs less than a microsecond. To be asked right before each act, for
   * signals and timers reach a process that was stopped (SIGSTOP, a starved cgroup) only some time after it goes on. Once false it stays so.
   *
   * The clock, CLOCK_MONOTONIC, goes on while a process is stopped, but not while the machine is suspended or its hypervisor pauses it: against
   * those, and against what is already under way, only the epoch helps.
   */
  isHeld(): boolean
  /** @throws LeadershipLostError where `isHeld` is false. */
  assertHeld(): void
}

/** A term, as the election itself sees it. */
export class Term implements Leadership, Disposable {
  readonly epoch: number
  readonly #clock: Clock
  readonly #controller = new AbortController()
  #heldUntil: number
  #lost: LeadershipLostError | undefined
  #cancelCheck: () => void = () => {}

  constructor(clock: Clock, epoch: number, heldUntil: number) {
    this.#clock = clock
    this.epoch = epoch
    this.#heldUntil = heldUntil
    this.#check()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  isHeld(): boolean {
    if (this.#lost === undefined && this.#clock.now() >= this.#heldUntil) {
      this.lose(new LeadershipLostError(this.epoch, 'it could not be renewed in time'))
    }
    return this.#lost === undefined
  }

  assertHeld(): void {
    if (!this.isHeld()) throw this.#lost!
  }

  /** The lease was renewed. Too late where it had run out before: others may have been told so already. */
  extend(heldUntil: number): void {
    if (this.isHeld()) this.#heldUntil = heldUntil
  }

  /** Tells the work to end; the lease stays held. */
  stop(reason: unknown): void {
    this.#controller.abort(reason)
  }

  lose(reason: LeadershipLostError): void {
    if (this.#lost !== undefined) return
    this.#cancelCheck()
    this.#lost = reason
    this.#controller.abort(reason)
  }

  [Symbol.dispose](): void {
    this.lose(new LeadershipLostError(this.epoch, 'the term is over'))
  }

  /** So that the signal is aborted in time even if nobody asks. */
  #check(): void {
    if (!this.isHeld()) return
    this.#cancelCheck = this.#clock.schedule(this.#heldUntil - this.#clock.now(), () => this.#check())
  }
}
