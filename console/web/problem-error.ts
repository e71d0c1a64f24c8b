import type { Problem } from '../protocol/problem.ts'

/** Whatever a call did not give an answer for. `status` is the HTTP status, 0 where there was no answer at all. */
export class ProblemError extends Error implements Problem {
  override readonly name = 'ProblemError'
  readonly status: number
  readonly code: string
  readonly field?: string
  readonly causes?: NonNullable<Problem['causes']>
  readonly kubernetes?: NonNullable<Problem['kubernetes']>
  /** Seconds after which it may be tried again, where the server says so. */
  readonly retryAfter?: number

  constructor(status: number, problem: Problem, retryAfter?: number) {
    super(problem.message)
    this.status = status
    this.code = problem.code
    if (problem.field !== undefined) this.field = problem.field
    if (problem.causes !== undefined) this.causes = problem.causes
    if (problem.kubernetes !== undefined) this.kubernetes = problem.kubernetes
    if (retryAfter !== undefined) this.retryAfter = retryAfter
  }
}

/** A failure of any kind as a ProblemError: what was not thrown by a call is a fault of the page itself. */
export function problemOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error
  return new ProblemError(0, { code: 'PageFailed', message: error instanceof Error ? error.message : String(error) })
}
