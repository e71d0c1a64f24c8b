import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { ProbeAnswer } from './probe-server.ts'

export type KeepTimes = {
  /** From the end of one look to the next, milliseconds. */
  readonly intervalMs: number
  /** After the first failure; doubled with each that follows. */
  readonly firstRetryMs: number
  readonly longestRetryMs: number
  /** A look that takes longer hangs. */
  readonly hangsAfterMs: number
}

const defaultTimes: KeepTimes = {
  ...{ intervalMs: 60_000, firstRetryMs: 2_000, longestRetryMs: 300_000, hangsAfterMs: 900_000 },
}

export type KeepOptions = {
  /** Resolves when all is as it is wanted. */
  readonly look: (signal: AbortSignal) => Promise<void>
  /** Said when it is. */
  readonly done: string
  readonly logger: Logger
  /** Uniform in [0, 1). */
  readonly random?: () => number
  readonly times?: KeepTimes
}

/** Looks again and again, and tells how it stands. */
export class Keep {
  readonly #options: KeepOptions
  readonly #times: KeepTimes
  #ready: ProbeAnswer = { ok: false, text: 'the first look at this host is not over' }
  #lookingSince: number | undefined

  constructor(options: KeepOptions) {
    this.#options = options
    this.#times = options.times ?? defaultTimes
  }

  get ready(): ProbeAnswer {
    return this.#ready
  }

  get alive(): ProbeAnswer {
    const { hangsAfterMs } = this.#times
    const hangs = this.#lookingSince !== undefined && performance.now() - this.#lookingSince > hangsAfterMs
    return hangs ? { ok: false, text: `a look takes longer than ${hangsAfterMs / 1_000} s` } : { ok: true, text: 'ok' }
  }

  /** Resolves when the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { look, done, logger, random = Math.random } = this.#options
    const { intervalMs, firstRetryMs, longestRetryMs } = this.#times
    for (let failures = 0; !signal.aborted;) {
      try {
        this.#lookingSince = performance.now()
        await look(signal)
        if (!this.#ready.ok) logger.info(done)
        this.#ready = { ok: true, text: done }
        failures = 0
      } catch (error) {
        if (signal.aborted) return
        const { code, message: reason } = described(error)
        this.#ready = { ok: false, text: `${code}: ${reason}` }
        failures += 1
        logger.warn({ code, reason, failures }, 'host not as it is wanted, will look again')
      } finally {
        this.#lookingSince = undefined
      }
      const retryMs = Math.min(firstRetryMs * 2 ** (failures - 1), longestRetryMs)
      // Hosts that failed at once must not try at once for ever.
      const delayMs = failures === 0 ? intervalMs : retryMs * (0.5 + random() / 2)
      await sleep(delayMs, undefined, { signal }).catch(() => {})
    }
  }
}

function described(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { code: 'Unforeseen', message: String(error) }
  const { code } = error as NodeJS.ErrnoException
  return { code: typeof code === 'string' ? code : 'Unforeseen', message: error.message }
}
