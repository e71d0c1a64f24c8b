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
 * Asks until the answer is neither `undefined` nor `false`, at least once. A probe that throws is asked again, and its last error is part
 * of the failure, so that assertions can be used as probes. A probe that does not answer is not waited for beyond the deadline.
 *
 * @throws DeadlineError
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 10_000,
  intervalMs = 50,
): Promise<T> {
  const end = performance.now() + timeoutMs
  const over = new AbortController()
  const deadline = sleep(timeoutMs, undefined, { signal: over.signal })
  // Aborted once the answer is there.
  deadline.catch(() => {})
  try {
    for (;;) {
      let failure: unknown
      try {
        const answer = await Promise.race([probe(), deadline])
        if (answer !== undefined && answer !== false) return answer
      } catch (error) {
        failure = error
      }
      if (performance.now() >= end) throw new DeadlineError(what, timeoutMs, failure)
      await sleep(intervalMs)
    }
  } finally {
    over.abort()
  }
}
