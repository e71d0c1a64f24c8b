import type { Leadership } from '@keelson/kube'

/** Something that a term needs before it can do its work. */
export type Source = { readonly synced: (signal?: AbortSignal) => Promise<void> }

/** Longer than the work of a term that is lost may take to end. */
const toleranceMs = 20_000

/** What the process is at, as its probes tell. */
export class Health {
  readonly #now: () => number
  #leadership: Leadership | undefined
  #lostAt: number | undefined
  readonly #missing = new Set<string>()

  /** @param now milliseconds of a monotonic clock. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** A term begins, which can work when its sources are synced. It ends when the result is disposed. */
  begin(leadership: Leadership, sources: Readonly<Record<string, Source>>): Disposable {
    this.#leadership = leadership
    this.#lostAt = undefined
    this.#missing.clear()
    for (const [name, source] of Object.entries(sources)) {
      this.#missing.add(name)
      source.synced(leadership.signal).then(
        () => {
          if (this.#leadership === leadership) this.#missing.delete(name)
        },
        () => {},
      )
    }
    return {
      [Symbol.dispose]: () => {
        if (this.#leadership === leadership) this.#leadership = undefined
      },
    }
  }

  /** Why the process must be started anew; undefined while it lives. That this is answered at all shows that its event loop turns. */
  fault(): string | undefined {
    if (this.#leadership === undefined || this.#leadership.isHeld()) return undefined
    this.#lostAt ??= this.#now()
    if (this.#now() - this.#lostAt < toleranceMs) return undefined
    return `the lease of epoch ${this.#leadership.epoch} is lost, and work in its name does not end`
  }

  /** What is waited for; undefined where the process is ready: to take over, or because it leads and knows the cluster. */
  waitingFor(): string | undefined {
    if (this.#leadership === undefined || this.#missing.size === 0) return undefined
    return `not synced: ${[...this.#missing].join(', ')}`
  }
}
