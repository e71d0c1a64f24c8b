/**
 * An AbortSignal that fires with the outer one, or with `reason()` when `milliseconds` have passed since the start or the last restart. Dispose of it:
 * unlike AbortSignal.any and AbortSignal.timeout it then leaves neither timer nor listener behind, which counts at hundreds of requests a second.
 */
export class Deadline implements Disposable {
  readonly #controller = new AbortController()
  readonly #outer: AbortSignal | undefined
  readonly #forward: () => void
  readonly #timer: NodeJS.Timeout

  constructor(milliseconds: number, reason: () => Error, outer?: AbortSignal) {
    this.#outer = outer
    this.#forward = () => this.#controller.abort(outer?.reason)
    this.#timer = setTimeout(() => this.#controller.abort(reason()), milliseconds)
    if (outer?.aborted === true) this.#forward()
    else outer?.addEventListener('abort', this.#forward, { once: true })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  restart(): void {
    this.#timer.refresh()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#outer?.removeEventListener('abort', this.#forward)
  }
}
