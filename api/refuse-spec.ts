import type { z } from 'zod'
import { apiPathRefusal } from './api-path.ts'
import { agentPort } from './group.ts'
import { HostRequestSpec, plainAgentMessage, secretElsewhereMessage, typedElsewhereMessage } from './host-request.ts'
import { refuseSelector } from './label-selector.ts'
import { refuseParameters } from './parameters.ts'
import { isPortRefused, refusedPortMessage } from './ports.ts'
import type { Refusal } from './refusal.ts'

/**
 * Everything that is wrong with the spec of a HostRequest, as the API server would find it; empty: nothing. Like the API
 * server it looks no further than types and bounds where those fail.
 */
export function refuseSpec(spec: unknown): Refusal[] {
  const { success, data, error } = HostRequestSpec.safeParse(spec)
  if (!success) {
    return error.issues.map((issue) => ({ field: fieldOf(issue), code: 'FieldRefused', message: issue.message }))
  }
  const { hostSelector, http } = data
  const refusals = hostSelector ? refuseSelector(hostSelector, 'spec.hostSelector') : []
  if (isPortRefused(http.port)) {
    refusals.push({ field: 'spec.http.port', code: 'PortRefused', message: refusedPortMessage })
  }
  const path = apiPathRefusal(http.api)
  if (path !== undefined) refusals.push({ field: 'spec.http.api', code: 'PathRefused', message: path })
  if (http.scheme === 'http' && http.port === agentPort) {
    refusals.push({ field: 'spec.http.scheme', code: 'SchemeRefused', message: plainAgentMessage })
  }
  if (http.check === 'Typed' && http.port !== agentPort) {
    refusals.push({ field: 'spec.http.check', code: 'CheckRefused', message: typedElsewhereMessage })
  }
  if (http.port !== agentPort && http.parameters.some(({ valueFrom }) => valueFrom !== undefined)) {
    refusals.push({ field: 'spec.http.parameters', code: 'ValueFromRefused', message: secretElsewhereMessage })
  }
  return [...refusals, ...refuseParameters(http.parameters, http.check)]
}

function fieldOf({ code, path }: z.core.$ZodIssue): string {
  // A refused key of a map is the map's fault: the API server names the map too.
  const steps = code === 'invalid_key' ? path.slice(0, -1) : path
  return steps.reduce<string>(
    (field, step) => (typeof step === 'number' ? `${field}[${step}]` : `${field}.${String(step)}`),
    'spec',
  )
}
