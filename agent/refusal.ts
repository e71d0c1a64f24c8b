import type { AgentError } from '@keelson/api'
import { ResourceError, type ResourceErrorKind } from '@keelson/engine'
import type { Logger } from 'pino'

/** A request that gets another answer than success: HTTP status and what the body says. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly field: string | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    code: string,
    message: string,
    options: { readonly field?: string | undefined; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message)
    this.name = 'Refusal'
    this.status = status
    this.code = code
    this.field = options.field
    this.headers = options.headers ?? {}
  }

  get body(): AgentError {
    return { code: this.code, message: this.message, ...(this.field === undefined ? {} : { field: this.field }) }
  }
}

const statuses: Readonly<Record<ResourceErrorKind, number>> = { parameter: 422, state: 409, act: 500 }

/** What to answer for anything that was thrown. What was not thrown on purpose is nobody's business but the log's. */
export function refusalFor(error: unknown, logger: Logger): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof ResourceError) {
    return new Refusal(statuses[error.kind], error.code, error.message, { field: error.field })
  }
  logger.error({ err: error }, 'request failed')
  const message = 'an error that the agent did not foresee: see journalctl -u keelson-agent on the host'
  return new Refusal(500, 'Internal', message)
}
