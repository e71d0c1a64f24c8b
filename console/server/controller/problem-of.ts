import { KubeError } from '@keelson/kube'
import { problemOfKube } from './kube-problem.ts'
import { ProblemError } from './problem-error.ts'

/** Errors of the model and their status. */
const statusOfCode: Readonly<Record<string, { readonly status: number; readonly field?: string }>> = {
  AccountExists: { status: 409, field: 'name' },
  AccountNotFound: { status: 404 },
  PasswordRefused: { status: 422, field: 'password' },
}

/** Fastify's own refusals, before a handler runs. */
const ofFastify: Readonly<
  Record<string, { readonly status: number; readonly code: string; readonly message: string }>
> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    status: 413,
    code: 'BodyTooLarge',
    message: 'the body is larger than this route takes',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    code: 'ContentTypeUnsupported',
    message: 'send the body as application/json',
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: {
    status: 400,
    code: 'BodyInvalid',
    message: 'the body is empty, though said to be JSON',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: { status: 400, code: 'BodyInvalid', message: 'the body is no JSON' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    status: 400,
    code: 'BodyInvalid',
    message: 'the body is not as long as its Content-Length says',
  },
}

/** What goes wrong in a call, as its answer. What nobody foresaw says nothing about itself: it is in the log. */
export function problemOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error
  if (error instanceof KubeError) return problemOfKube(error)
  const { code, statusCode, message } = error as { code?: unknown; statusCode?: unknown; message?: unknown }
  if (typeof code === 'string') {
    const known = statusOfCode[code]
    if (known !== undefined) {
      const field = known.field === undefined ? {} : { field: known.field }
      return new ProblemError(known.status, { code, message: String(message), ...field, cause: error })
    }
    const refusal = ofFastify[code]
    if (refusal !== undefined)
      return new ProblemError(refusal.status, { code: refusal.code, message: refusal.message, cause: error })
  }
  // Whatever else Fastify refuses is the fault of who sent it: a body that sets __proto__, a path that cannot be decoded.
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return new ProblemError(statusCode, { code: 'RequestInvalid', message: 'the request cannot be read', cause: error })
  return new ProblemError(500, {
    code: 'Unforeseen',
    message: 'the console failed at this; its log says why',
    cause: error,
  })
}
