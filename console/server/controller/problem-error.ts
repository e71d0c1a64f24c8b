import type { Problem } from '../../protocol/problem.ts'

export type ProblemFields = Problem & {
  readonly retryAfterSeconds?: number | undefined
  readonly cause?: unknown
}

/** Ends a call with this answer. Its words reach the browser: no secrets, no stack. */
export class ProblemError extends Error {
  readonly status: number
  readonly code: string
  readonly problem: Problem
  /** For the header Retry-After. */
  readonly retryAfterSeconds: number | undefined

  constructor(status: number, { retryAfterSeconds, cause, ...problem }: ProblemFields) {
    super(problem.message, cause === undefined ? {} : { cause })
    this.name = 'ProblemError'
    this.status = status
    this.code = problem.code
    this.problem = problem
    this.retryAfterSeconds = retryAfterSeconds
  }
}
