export type Command = {
  /** What follows `keelson`. */
  readonly name: string
  /** Its arguments, as usage texts write them. */
  readonly usage: string
  /** One line. */
  readonly summary: string
  /** Loads what it needs, and nothing before that. Resolves when the command is through; throws UsageError, or an error with a `code`. */
  readonly run: (args: readonly string[], out: Print) => Promise<void>
}

/** Writes one line. */
export type Print = (line: string) => void

/** As a process ends; part of the interface. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  /** The operator, or a person, said no. */
  denied: 3,
  /** No answer before the deadline. */
  timedOut: 4,
} as const

/** The command line is wrong. */
export class UsageError extends Error {
  readonly code = 'Usage'

  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.name = 'UsageError'
  }
}
