import type { Clock } from '@keelson/kube'
import { Feed, type FeedOptions } from './feed.ts'
import { eventText, lagFrame } from './frame.ts'
import type { LiveStore } from './live-store.ts'
import type { Revisions } from './revisions.ts'

export interface LiveStreamOptions extends FeedOptions {
  readonly store: FeedOptions['store'] & Pick<LiveStore, 'synced' | 'connection'>
  /** Resolves when the reader can take more; until then nothing is made for him. Throws when he is gone or takes too long. */
  readonly write: (text: string) => Promise<void>
  /** Throws where the reader's session has ended; asked whenever his rights are. */
  readonly signedIn: () => Promise<unknown>
  readonly clock: Clock
}

/** Changes are told at most five times a second. */
const coalesceMs = 200
/** How often what nobody tells is looked at: time, and the connection. */
const tickMs = 1_000
/** With what the Gate remembers, a right that is taken away ends within a minute. */
const checkMs = 30_000
const checkRetryMs = 3_000
/** Proxies cut a connection on which nothing comes for a minute, some for half of that; and a page that hears nothing must know that it is cut off. */
const heartbeatMs = 15_000
const lagRepeatMs = 10_000
/** How long a browser waits before it opens a broken stream again. */
const reconnectMs = 2_000

/** Tells one reader what changes until the signal is aborted, the reader goes away or his session ends. */
export class LiveStream {
  readonly #options: LiveStreamOptions
  readonly #clock: Clock
  readonly #feed: Feed
  #writtenAt = 0
  #checkAt = 0
  /** When the reader was last told that the cluster is out of sight; undefined: he thinks that it is not. */
  #lagToldAt: number | undefined

  constructor(options: LiveStreamOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#feed = new Feed(options)
  }

  /** @throws what `write` and `signedIn` throw, and the reason of the signal. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#write(`retry: ${reconnectMs}\n\n`)
    await this.#sync(signal)
    for (;;) {
      signal.throwIfAborted()
      await this.#tellLag()
      if (this.#clock.now() >= this.#checkAt || this.#feed.outgrown) await this.#check(signal)
      for await (const text of this.#feed.pass(signal)) await this.#write(text)
      await this.#rest(signal)
    }
  }

  /** An empty list is not to be told before the first one was read. */
  async #sync(signal: AbortSignal): Promise<void> {
    const synced = this.#options.store.synced(signal).then(() => true)
    for (;;) {
      const tick = this.#wake(tickMs, signal).then(() => false)
      if (await Promise.race([synced, tick])) return
      await this.#tellLag()
    }
  }

  async #check(signal: AbortSignal): Promise<void> {
    await this.#options.signedIn()
    const questions = this.#feed.authorise(signal)
    for (;;) {
      const { done, value } = await questions.next()
      if (done === true) {
        this.#checkAt = this.#clock.now() + (value ? checkMs : checkRetryMs)
        return
      }
      await this.#write(value)
    }
  }

  async #tellLag(): Promise<void> {
    const seconds = this.#options.store.connection.lostSeconds()
    const now = this.#clock.now()
    if (seconds !== undefined && now - (this.#lagToldAt ?? -Infinity) >= lagRepeatMs) {
      this.#lagToldAt = now
      await this.#write(eventText(lagFrame(false, seconds), undefined))
    } else if (seconds === undefined && this.#lagToldAt !== undefined) {
      this.#lagToldAt = undefined
      await this.#write(eventText(lagFrame(true, 0), undefined))
    } else if (now - this.#writtenAt >= heartbeatMs) {
      // An event and not a comment, of which no page ever hears.
      await this.#write(eventText(lagFrame(true, 0), undefined))
    }
  }

  async #rest(signal: AbortSignal): Promise<void> {
    const { revisions } = this.#options.store
    await this.#wake(coalesceMs, signal)
    if (revisions.current <= this.#feed.revision) await this.#wake(tickMs - coalesceMs, signal, revisions)
  }

  /** Waits for so long, or until the next change, or until the signal is aborted. */
  async #wake(milliseconds: number, signal: AbortSignal, revisions?: Revisions): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = (): void => resolve()
    const cancels = [this.#clock.schedule(milliseconds, wake), revisions?.onNext(wake)]
    signal.addEventListener('abort', wake, { once: true })
    if (signal.aborted) wake()
    await promise
    for (const cancel of cancels) cancel?.()
    signal.removeEventListener('abort', wake)
  }

  async #write(text: string): Promise<void> {
    await this.#options.write(text)
    this.#writtenAt = this.#clock.now()
  }
}
