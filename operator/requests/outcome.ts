/** What became of one target. */
export type Outcome = { readonly host: string; readonly outcome: 'succeeded' } | Unsuccessful

export type Unsuccessful = {
  readonly host: string
  /**
   * `failed`: it answered otherwise, or certainly did not get the request; whatever became of a GET that was not answered is no loss.
   * `unknown`: it may have got a request that acts, and the answer was lost.
   */
  readonly outcome: 'failed' | 'unknown'
  /** For programs: one CamelCase word. */
  readonly reason: string
  /** HTTP status of the answer, if there was one. */
  readonly code?: number
  /** At most 256 bytes. */
  readonly message: string
}
