import { DeliveryError } from './delivery-error.ts'

export type Phase = 'Queue' | 'Connect' | 'TLS' | 'Headers' | 'Body'

const missing: Readonly<Record<Phase, string>> = {
  Queue: 'no free connection',
  Connect: 'no connection',
  TLS: 'no TLS handshake',
  Headers: 'no answer',
  Body: 'no whole answer',
}

/**
 * The time of one delivery, phase by phase: a phase has what is left of the whole, or less where it has a limit of its own. One timer,
 * whatever the number of phases.
 */
export class Deadline implements Disposable {
  readonly #timeoutMs: number
  #endsAt: number
  readonly #signal: AbortSignal
  readonly #abort = () => this.#finish(this.#signal.reason as Error)
  #timer: NodeJS.Timeout | undefined
  #end: ((reason: Error) => void) | undefined

  /** @param leftMs what is left of the time already; it is told by the whole nevertheless */
  constructor(timeoutMs: number, signal: AbortSignal, leftMs = timeoutMs) {
    this.#timeoutMs = timeoutMs
    this.#endsAt = performance.now() + leftMs
    this.#signal = signal
    signal.addEventListener('abort', this.#abort, { once: true })
  }

  get remainingMs(): number {
    return Math.max(0, this.#endsAt - performance.now())
  }

  /**
   * Begins a phase and ends the one before. `end` is called once if the phase lasts too long (DeliveryError, by the name of the phase) or the
   * signal is aborted (its reason), never after the next phase has begun.
   *
   * @param limitMs of this phase alone
   */
  enter(phase: Phase, end: (reason: Error) => void, limitMs = Infinity): void {
    this.leave()
    this.#end = end
    if (this.#signal.aborted) {
      this.#abort()
      return
    }
    const remainingMs = this.remainingMs
    const isOwn = limitMs < remainingMs
    const late = () => {
      // A timer may go off a little early: nothing is begun in what would be left.
      if (!isOwn) this.#endsAt = -Infinity
      // What was given, not what was left: equal failures have equal words.
      const seconds = (isOwn ? limitMs : this.#timeoutMs) / 1_000
      this.#finish(new DeliveryError(`${phase}Timeout`, `${missing[phase]} within ${seconds} s`))
    }
    this.#timer = setTimeout(late, Math.min(limitMs, remainingMs))
  }

  /** Ends the phase, in time. */
  leave(): void {
    clearTimeout(this.#timer)
    this.#end = undefined
  }

  #finish(reason: Error): void {
    const end = this.#end
    this.leave()
    end?.(reason)
  }

  [Symbol.dispose](): void {
    this.leave()
    this.#signal.removeEventListener('abort', this.#abort)
  }
}
