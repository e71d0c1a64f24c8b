import type { AdmissionCase } from './cases.ts'
import type { Answer } from './api-server.ts'

/** Why an answer to a create is not what the case expects; undefined: it is. */
export function disagreement({ refused }: AdmissionCase, { status, body }: Answer): string | undefined {
  const text = JSON.stringify(body)
  if (!refused) return status === 201 ? undefined : `not accepted: ${status} ${text}`
  if (status !== 422) return `not refused as invalid: ${status}`
  const { field, reason, says = [], hides } = refused
  const causes = (body.details?.causes ?? []).filter((cause) => cause.field === field && cause.reason === reason)
  if (!causes.some(({ message = '' }) => says.every((part) => message.includes(part)))) {
    return `no cause ${reason} at ${field} that says ${JSON.stringify(says)}: ${text}`
  }
  if (hides !== undefined && text.includes(hides)) return `repeats the value: ${text}`
  return undefined
}
