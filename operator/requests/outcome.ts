/** What became of one target that was sent to. */
export type Outcome = ({ readonly outcome: 'succeeded' } | Unsuccessful) & {
  /** Present where there was an answer, and answers are kept. */
  readonly answer?: Answer
}

/** What of an answer is kept: bounded, and safe to show. */
export type Answer = { readonly code: number; readonly body: string }

export type Unsuccessful = {
  /** failed: it certainly did not succeed. unknown: it may have got the request, and its answer is not known. */
  readonly outcome: 'failed' | 'unknown'
  /** For programs: one CamelCase word. */
  readonly reason: string
  /** HTTP status of the answer, if there was one. */
  readonly code?: number
  readonly message: string
}
