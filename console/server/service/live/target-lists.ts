const separator = '\n'

/** Names of targets by their digest: runs for the same hosts share one list. Bounded by characters; what was told of longest ago goes first. */
export class TargetLists {
  readonly #limit: number
  /** Each name between two separators. */
  readonly #lists = new Map<string, string>()
  #length = 0

  constructor(options: { readonly characters?: number } = {}) {
    this.#limit = options.characters ?? 8 * 1024 * 1024
  }

  put(digest: string, names: readonly string[]): void {
    const known = this.#lists.get(digest)
    const text = known ?? [separator, ...names.map((name) => name + separator)].join('')
    if (known === undefined) this.#length += text.length
    this.#lists.delete(digest)
    this.#lists.set(digest, text)
    for (const [oldest, { length }] of this.#lists) {
      if (this.#length <= this.#limit) break
      this.#lists.delete(oldest)
      this.#length -= length
    }
  }

  /** The number of that target; -1: it is none; undefined: the list is not known (any more). */
  indexOf(digest: string, name: string): number | undefined {
    const text = this.#lists.get(digest)
    if (text === undefined) return undefined
    const position = text.indexOf(separator + name + separator)
    if (position < 0) return -1
    return text.slice(0, position).split(separator).length - 1
  }
}
