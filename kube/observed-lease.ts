import type { Clock } from './clock.ts'
import type { Lease } from './kinds.ts'

/** A Lease as seen from here: what it says, and since when by our own clock. */
export class ObservedLease {
  readonly #clock: Clock
  readonly #defaultLeaseMs: number
  readonly #onHolder: (identity: string) => void
  #lease: Lease | undefined
  #unchangedSince = Number.NEGATIVE_INFINITY
  #holder = ''
  #holdsForMs = 0
  #epoch = -1

  constructor(clock: Clock, defaultLeaseMs: number, onHolder: (identity: string) => void) {
    this.#clock = clock
    this.#defaultLeaseMs = defaultLeaseMs
    this.#onHolder = onHolder
  }

  /** As it was seen last; undefined where it is absent. */
  get lease(): Lease | undefined {
    return this.#lease
  }

  /** The highest `leaseTransitions` that was ever seen; -1 before any. */
  get epoch(): number {
    return this.#epoch
  }

  /** Any write to the Lease counts as a sign of life, told by its resourceVersion: from a time that is written there nothing follows. */
  see(lease: Lease | undefined): void {
    if (lease?.metadata.resourceVersion === this.#lease?.metadata.resourceVersion) return
    this.#unchangedSince = this.#clock.now()
    this.#lease = lease
    // Deleted: the holder may not know that yet, and has its time as before.
    if (lease === undefined) return
    const { holderIdentity = '', leaseDurationSeconds, leaseTransitions = 0 } = lease.spec ?? {}
    const before = this.#holder
    this.#holder = holderIdentity
    // What the holder goes by, which may be another release with other times.
    this.#holdsForMs = leaseDurationSeconds === undefined ? this.#defaultLeaseMs : leaseDurationSeconds * 1_000
    this.#epoch = Math.max(this.#epoch, leaseTransitions)
    if (before !== holderIdentity) this.#onHolder(holderIdentity)
  }

  isFreeFor(identity: string): boolean {
    // Under our own name: the answer to our taking was lost, or we lost it and nobody else came.
    if (this.#holder === '' || this.#holder === identity) return true
    return this.#clock.now() >= this.#unchangedSince + this.#holdsForMs
  }

  isOf(identity: string, epoch: number): boolean {
    const { holderIdentity, leaseTransitions } = this.#lease?.spec ?? {}
    return holderIdentity === identity && leaseTransitions === epoch
  }

  /** For people: who stands there now. */
  describe(): string {
    if (this.#lease === undefined) return 'it was deleted'
    return `${this.#holder === '' ? 'nobody' : this.#holder} holds it now`
  }
}
