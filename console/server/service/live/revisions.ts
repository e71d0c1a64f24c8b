/** One count of changes over everything that is shown live, so that one number tells what somebody has seen of all of it. */
export class Revisions {
  readonly #waiting = new Set<() => void>()
  #current = 0

  get current(): number {
    return this.#current
  }

  next(): number {
    this.#current += 1
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const callback of waiting) callback()
    return this.#current
  }

  /** Calls back once, at the next change; the result cancels that. */
  onNext(callback: () => void): () => void {
    this.#waiting.add(callback)
    return () => this.#waiting.delete(callback)
  }
}
