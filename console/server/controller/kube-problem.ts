import type { KubeError } from '@keelson/kube'
import { ProblemError } from './problem-error.ts'

const maxMessageLength = 2_048
const maxCauses = 32

/** What the browser is told of an error of the API server: its own words, which speak to the person whose call it was. */
export function problemOfKube(error: KubeError): ProblemError {
  const causes = error.causes
    .slice(0, maxCauses)
    .map(({ field = '', message = '' }) => ({ field: field.slice(0, 253), message: message.slice(0, 1_024) }))
  return new ProblemError(statusOf(error), {
    code: error.code.slice(0, 63),
    message: messageOf(error),
    ...(causes.length > 0 ? { causes } : {}),
    ...(causes.length === 1 && causes[0]!.field !== '' ? { field: causes[0]!.field } : {}),
    ...(error.status > 0 ? { kubernetes: { status: error.status, reason: error.reason.slice(0, 63) } } : {}),
    retryAfterSeconds: error.retryAfterSeconds,
    cause: error,
  })
}

/** Of what the person asked for, the server's status; the rest is between the console and the cluster, so 502. */
function statusOf({ status }: KubeError): number {
  if (status === 410) return 409
  return [400, 403, 404, 409, 413, 422, 429].includes(status) ? status : 502
}

function messageOf({ status, message }: KubeError): string {
  const hint =
    status === 0
      ? 'the cluster gave no answer; what was asked may have been done: look before you repeat it. '
      : status === 401
        ? 'the cluster does not know this account: is there a ServiceAccount of that name in keelson-users? '
        : ''
  return `${hint}${message}`.slice(0, maxMessageLength)
}
