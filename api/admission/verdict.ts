import { refuseSpec } from '../refuse-spec.ts'
import type { Answer, Cause } from './api-server.ts'
import type { AdmissionCase } from './case.ts'

/** Why the API server's answer to a create is not what the case expects; undefined: it is. */
export function serverVerdict({ refused }: AdmissionCase, { status, body }: Answer): string | undefined {
  const text = JSON.stringify(body)
  if (!refused) return status === 201 ? undefined : `not accepted: ${status} ${text}`
  if (status !== 422) return `not refused as invalid: ${status}`
  const { field, reason, says = [], hides } = refused
  const causes = causesOf({ status, body }).filter((cause) => cause.field === field && cause.reason === reason)
  if (!causes.some(({ message = '' }) => says.every((part) => message.includes(part)))) {
    return `no cause ${reason} at ${field} that says ${JSON.stringify(says)}: ${text}`
  }
  return hides !== undefined && text.includes(hides) ? `repeats the value: ${text}` : undefined
}

/** Why the controller's own check is not what the case expects; undefined: it is. */
export function controllerVerdict({ spec, refused }: AdmissionCase): string | undefined {
  const refusals = refuseSpec(spec)
  const text = JSON.stringify(refusals)
  if (!refused) return refusals.length === 0 ? undefined : `not accepted: ${text}`
  if (!refusals.some(({ field }) => field === refused.field)) return `not refused at ${refused.field}: ${text}`
  return refused.hides !== undefined && text.includes(refused.hides) ? `repeats the value: ${text}` : undefined
}

/** Where API server and controller refuse different fields, or the same one in different words; undefined: nowhere. */
export function dispute(spec: unknown, answer: Answer): string | undefined {
  const refusals = refuseSpec(spec)
  const causes = causesOf(answer)
  const words = refusals.filter(
    ({ field, code, message }) =>
      // The API server has words of its own for bounds and types.
      code !== 'FieldRefused' &&
      !causes.some((cause) => cause.field === field && cause.message?.endsWith(message) === true),
  )
  if (words.length === 0 && fieldsOf(causes) === fieldsOf(refusals)) return undefined
  return `controller: ${JSON.stringify(refusals)}; API server: ${JSON.stringify(causes)}`
}

function causesOf({ body }: Answer): readonly Cause[] {
  // Beside errors that stop all rules the API server notes that it has stopped, at no field.
  return (body.details?.causes ?? []).filter(({ field }) => field !== '<nil>')
}

function fieldsOf(refusals: readonly { readonly field?: string }[]): string {
  const fields = new Set(refusals.map(({ field = '' }) => field))
  return [...fields].toSorted((a, b) => (a < b ? -1 : 1)).join(' ')
}
