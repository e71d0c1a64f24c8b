import { setTimeout as sleep } from 'node:timers/promises'

/** What was waited for did not come; `cause` is the last failure of the probe, if it threw. */
export class DeadlineError extends Error {
  readonly code = 'DEADLINE_EXCEEDED'

  constructor(what: string, timeoutMs: number, cause?: unknown) {
    super(`${what}: not within ${timeoutMs} ms${cause instanceof Error ? `; last: ${cause.message}` : ''}`, { cause })
    this.name = 'DeadlineError'
  }
}

/**
 * Asks until the answer is neither `undefined` nor `false`. A probe that throws is asked again, and its last error is part of the failure,
 * so that assertions can be used as probes.
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 10_000,
  intervalMs = 50,
): Promise<T> {
  const end = performance.now() + timeoutMs
  for (;;) {
    let failure: unknown
    try {
      const answer = await probe()
      if (answer !== undefined && answer !== false) return answer
    } catch (error) {
      failure = error
    }
    if (performance.now() >= end) throw new DeadlineError(what, timeoutMs, failure)
    await sleep(intervalMs)
  }
}
