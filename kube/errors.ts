import { isStatus, type Status, type StatusCause } from './object.ts'

export interface KubeErrorFields {
  readonly code: string
  readonly message: string
  readonly status?: number
  readonly reason?: string
  readonly retryable?: boolean
  readonly retryAfterSeconds?: number | undefined
  readonly causes?: readonly StatusCause[]
  readonly cause?: unknown
}

/**
 * Whatever goes wrong between us and the API server. The text never holds credentials, and none of the server's words about the content of a Secret.
 */
export class KubeError extends Error {
  /** Stable name of what happened, for programs: `NotFound`, `Conflict`, `ConnectionFailed`, … */
  readonly code: string
  /** HTTP status; 0 where no answer came. */
  readonly status: number
  /** The server's `reason`, or the code of the network error; may be empty. */
  readonly reason: string
  /** The very same request may succeed later. False for a Conflict: that one needs a fresh read. */
  readonly retryable: boolean
  /** How long the server asks us to wait before trying again, in seconds; 60 at most, whatever it asks. */
  readonly retryAfterSeconds: number | undefined
  /** Field by field what was refused or what conflicts. */
  readonly causes: readonly StatusCause[]

  constructor(fields: KubeErrorFields) {
    super(fields.message, fields.cause === undefined ? {} : { cause: fields.cause })
    this.name = new.target.name
    this.code = fields.code
    this.status = fields.status ?? 0
    this.reason = fields.reason ?? ''
    this.retryable = fields.retryable ?? false
    this.retryAfterSeconds = fields.retryAfterSeconds
    this.causes = fields.causes ?? []
  }
}

export class BadRequestError extends KubeError {}
export class UnauthorizedError extends KubeError {}
export class ForbiddenError extends KubeError {}
export class NotFoundError extends KubeError {}
/** 409: somebody else was faster (`causes` empty), or other field managers own fields that an apply wants (`causes` name them). */
export class ConflictError extends KubeError {}
/** 409 on create: an object of that name is there. */
export class AlreadyExistsError extends KubeError {}
/** 410: the resourceVersion or continue token is older than what the server keeps. Read anew. */
export class ExpiredError extends KubeError {}
/** 422, and the 500 by which server-side apply answers fields that the schema does not know. */
export class InvalidError extends KubeError {}
export class TooManyRequestsError extends KubeError {}
/** Every other answer that is not a success. */
export class ServerError extends KubeError {}
/** No answer, or half of one. A write may have been carried out all the same. */
export class ConnectionError extends KubeError {}

type ErrorClass = new (fields: KubeErrorFields) => KubeError

const classes: Readonly<Record<number, readonly [code: string, ErrorClass]>> = {
  400: ['BadRequest', BadRequestError],
  401: ['Unauthorized', UnauthorizedError],
  403: ['Forbidden', ForbiddenError],
  404: ['NotFound', NotFoundError],
  409: ['Conflict', ConflictError],
  410: ['Expired', ExpiredError],
  413: ['RequestTooLarge', BadRequestError],
  422: ['Invalid', InvalidError],
  429: ['TooManyRequests', TooManyRequestsError],
  504: ['ServerTimeout', ServerError],
}

/** Answers that describe the caller, the name or the load, never the content of what was sent. */
const silentOnContent = new Set([401, 403, 404, 409, 410, 429])
const maxMessageLength = 2048
const maxRetryAfterSeconds = 60
const hints: Readonly<Record<number, string>> = {
  401: 'the credentials are not accepted, or not any more',
}

export interface ErrorAnswer {
  /** Method and path, without the query: `GET /api/v1/nodes/a`. */
  readonly request: string
  readonly status: number
  /** Raw body; a Status in JSON as a rule, but plain text where the server sheds load. */
  readonly body: string
  /** Value of the Retry-After header. */
  readonly retryAfter?: string | undefined
  /** The object is a Secret: what the server says about its content is withheld. */
  readonly secret?: boolean
}

/** Makes the typed error of an answer. The HTTP status decides, since not every body is a Status. */
export function errorFromAnswer(answer: ErrorAnswer): KubeError {
  return errorFromStatus(parseStatus(answer), answer)
}

/** The same for a Status that came inside a stream: its own code decides. */
export function errorFromStatus(body: Status, answer: Omit<ErrorAnswer, 'body'>): KubeError {
  const { status } = answer
  const reason = body.reason ?? ''
  const said = body.message ?? ''
  const withheld = answer.secret === true && !silentOnContent.has(status)
  const text = withheld ? "the server's words are withheld, they may quote the Secret" : said.slice(0, maxMessageLength)
  const seconds = Number(answer.retryAfter ?? body.details?.retryAfterSeconds ?? Number.NaN)
  const userError = status === 500 && isUserError(said)
  const [code, Class] =
    status === 409 && reason === 'AlreadyExists'
      ? (['AlreadyExists', AlreadyExistsError] as const)
      : ((userError ? classes[422] : classes[status]) ?? (['ServerError', ServerError] as const))
  const causes = body.details?.causes ?? []
  return new Class({
    code,
    message: `${answer.request}: ${[status, reason, hints[status] ?? text].filter((part) => part !== '').join(' ')}`,
    status,
    reason,
    retryable: status === 408 || status === 429 || (status >= 500 && !userError),
    retryAfterSeconds: Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, maxRetryAfterSeconds) : undefined,
    causes: withheld ? causes.map(({ reason: why, field }) => ({ reason: why, field })) : causes,
  })
}

/** Two mistakes of the caller that the server answers with 500: a field that the schema lacks (server-side apply), an object too big for etcd. */
function isUserError(message: string): boolean {
  return message.startsWith('failed to create typed patch object') || message.includes('request is too large')
}

function parseStatus(answer: ErrorAnswer): Status {
  try {
    const body: unknown = JSON.parse(answer.body)
    if (isStatus(body)) return body
  } catch {
    // Plain text, as the server's load shedding and proxies in between send it.
  }
  return { kind: 'Status', message: answer.body.trim() }
}
