import { LeadershipLostError, type Leadership } from '@keelson/kube'

/** A term whose lease the test takes away, with or without telling. */
export class TestLeadership implements Leadership {
  readonly epoch: number
  readonly #controller = new AbortController()
  #held = true

  constructor(epoch: number) {
    this.epoch = epoch
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  isHeld(): boolean {
    return this.#held
  }

  assertHeld(): void {
    if (!this.#held) throw new LeadershipLostError(this.epoch, 'as the test wants it')
  }

  /** As for a process that was stopped: the time is over, and nobody has said so yet. */
  runOut(): void {
    this.#held = false
  }

  lose(): void {
    this.#held = false
    this.#controller.abort(new LeadershipLostError(this.epoch, 'as the test wants it'))
  }
}
