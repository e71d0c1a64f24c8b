import { Refusal } from './refusal.ts'

/** Lets one task run at a time, in the order of arrival. */
export class WriteQueue {
  readonly #limit: number
  #length = 0
  #last: Promise<void> = Promise.resolve()

  /** @param limit of tasks, the running one among them */
  constructor(limit: number) {
    this.#limit = limit
  }

  /**
   * A task whose `signal` is aborted while it waits never starts: nobody waits for it any more. Once started it is not told.
   * Throws 503 `Busy` at the limit, and the signal's reason.
   */
  async run<Result>(task: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    if (this.#length >= this.#limit) {
      throw new Refusal(503, 'Busy', `${this.#limit} changes of this type are waiting already; try again`, {
        headers: { 'retry-after': '10' },
      })
    }
    this.#length++
    const turn = this.#last
    const { promise: done, resolve } = Promise.withResolvers<void>()
    this.#last = done
    try {
      await turn
      signal.throwIfAborted()
      return await task()
    } finally {
      this.#length--
      resolve()
    }
  }
}
