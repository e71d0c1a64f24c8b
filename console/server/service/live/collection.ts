import type { Revisions } from './revisions.ts'

/** A row as it is sent, in JSON: made once for everybody who looks, and the smallest form to keep it in. */
export interface Entry {
  /** Name of a host, NAMESPACE/NAME of a request. */
  readonly key: string
  /** Of its last change. */
  readonly revision: number
  readonly json: string
}

export interface Changes {
  readonly upserts: readonly Entry[]
  /** Keys. */
  readonly removals: readonly string[]
}

/**
 * Rows with the revision of each one's last change. What is to be sent to somebody who has seen revision N is what is above N: nothing is kept for anybody,
 * however slow he is. Of rows that are gone the keys are kept, up to a bound.
 */
export class Collection {
  readonly #revisions: Revisions
  readonly #tombstoneLimit: number
  readonly #entries = new Map<string, Entry>()
  /** In the order of their revisions. */
  readonly #tombstones = new Map<string, number>()
  #latest = 0
  /** Removals up to here may be forgotten. */
  #floor = 0

  constructor(revisions: Revisions, options: { readonly tombstones?: number } = {}) {
    this.#revisions = revisions
    this.#tombstoneLimit = options.tombstones ?? 5_000
  }

  /** Revision of the last change. */
  get latest(): number {
    return this.#latest
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  /** Revision of the last change of that row, its removal included; 0 where nothing is known of it. */
  revisionOf(key: string): number {
    return this.#entries.get(key)?.revision ?? this.#tombstones.get(key) ?? this.#floor
  }

  entries(): IterableIterator<Entry> {
    return this.#entries.values()
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys()
  }

  set(key: string, json: string): void {
    this.#latest = this.#revisions.next()
    this.#tombstones.delete(key)
    this.#entries.set(key, { key, revision: this.#latest, json })
  }

  remove(key: string): void {
    if (!this.#entries.delete(key)) return
    this.#latest = this.#revisions.next()
    this.#tombstones.set(key, this.#latest)
    if (this.#tombstones.size <= this.#tombstoneLimit) return
    const [oldest, revision] = this.#tombstones.entries().next().value!
    this.#tombstones.delete(oldest)
    this.#floor = revision
  }

  /** What has changed after that revision. Undefined: not known any more, begin from the whole. */
  since(revision: number, includes: (key: string) => boolean): Changes | undefined {
    if (revision < this.#floor) return undefined
    if (revision >= this.#latest) return { upserts: [], removals: [] }
    const upserts = [...this.#entries.values()].filter((entry) => entry.revision > revision && includes(entry.key))
    const removals = [...this.#tombstones].filter(([key, when]) => when > revision && includes(key)).map(([key]) => key)
    return { upserts, removals }
  }
}
