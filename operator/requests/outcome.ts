/** What became of one target. */
export type Outcome =
  | { readonly host: string; readonly succeeded: true }
  | {
      readonly host: string
      readonly succeeded: false
      /** For programs: one CamelCase word. */
      readonly reason: string
      /** HTTP status of the answer, if there was one. */
      readonly code?: number
      readonly message: string
    }

export type Failed = Extract<Outcome, { succeeded: false }>
