import { HostRequest, HostRequestSpec } from '@keelson/api'
import { z } from 'zod'
import { Label, Subdomain, Time } from './names.ts'
import { defineRoute } from './route.ts'

/** A HostRequest as lists show it. */
export const RequestRow = z.object({
  namespace: z.string(),
  name: z.string(),
  uid: z.string(),
  createdAt: Time,
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  port: z.int(),
  api: z.string(),
  targetType: z.enum(['All', 'ControlPlane', 'Worker']),
  workers: z.int().describe('Hosts that the spec names; 0: it names none, so every host.'),
  dryRun: z.boolean(),
  suspend: z.boolean(),
  state: z.enum(['PENDING', 'RUNNING', 'PAUSED', 'SUCCESS', 'ERROR']),
  finished: z.boolean().describe('The run that the spec asks for has ended.'),
  msg: z.string(),
  progress: z.string(),
  counts: z.object({ targets: z.int(), succeeded: z.int(), failed: z.int(), unknown: z.int(), skipped: z.int() }),
  wave: z.int().describe('Present wave, from 0.'),
  waves: z.int().describe('Number of waves.'),
  round: z.int(),
  startTime: Time.optional(),
  finishTime: Time.optional(),
  reasons: z
    .array(z.object({ reason: z.string(), count: z.int(), message: z.string() }))
    .max(3)
    .describe('The most frequent reasons of failures.'),
})
export type RequestRow = z.infer<typeof RequestRow>

const params = z.object({ namespace: Label, name: Subdomain })
const path = '/api/requests/:namespace/:name'

export const getRequest = defineRoute({
  name: 'getRequest',
  summary: 'One HostRequest, whole',
  method: 'GET',
  path,
  params,
  answer: HostRequest,
})

export const listTargets = defineRoute({
  name: 'listTargets',
  summary:
    'Names of the targets of the present or last run, in their order; read from their ConfigMap where they are many, with the rights of whoever asks',
  method: 'GET',
  path: `${path}/targets`,
  params,
  answer: z.object({ runId: z.string(), names: z.array(z.string()).max(20_000) }),
})

export const createRequest = defineRoute({
  name: 'createRequest',
  summary: 'Makes a HostRequest; with spec.dryRun the operator tells what it would do and sends nothing',
  method: 'POST',
  path: '/api/requests',
  query: z.object({
    check: z
      .enum(['true', 'false'])
      .default('false')
      .describe('true: the API server judges it, rights included, and writes nothing.'),
  }),
  body: z.strictObject({
    namespace: Label,
    name: Subdomain,
    spec: HostRequestSpec,
  }),
  answer: HostRequest,
})

const revision = z.strictObject({
  resourceVersion: z
    .string()
    .max(63)
    .optional()
    .describe('409 Conflict where the object has changed since; absent: whatever it is now.'),
})

function steer(name: string, verb: string, summary: string) {
  return defineRoute({
    name,
    summary,
    method: 'POST',
    path: `${path}/${verb}`,
    params,
    body: revision,
    answer: HostRequest,
  })
}

export const sendRequest = steer('sendRequest', 'send', 'Sends what was a dry run: spec.dryRun becomes false')
export const pauseRequest = steer(
  'pauseRequest',
  'pause',
  'Nothing more is sent until it is resumed: spec.suspend becomes true',
)
export const resumeRequest = steer(
  'resumeRequest',
  'resume',
  'Goes on: spec.suspend becomes false, and what waits after a failure continues',
)
export const abortRequest = steer(
  'abortRequest',
  'abort',
  'Ends the run; what is in flight is finished, nothing more is sent: spec.activeDeadlineSeconds becomes 1, spec.suspend false',
)
export const runAgain = steer('runAgain', 'run', 'Runs the whole request once more: spec.runToken changes')

export const retryFailed = defineRoute({
  name: 'retryFailed',
  summary: 'Makes a new HostRequest from this one, for its failed and unknown hosts alone',
  method: 'POST',
  path: `${path}/retry`,
  params,
  body: z.strictObject({ name: Subdomain.describe('Of the new one.'), includeUnknown: z.boolean().default(false) }),
  answer: HostRequest,
})

export const deleteRequest = defineRoute({
  name: 'deleteRequest',
  summary: 'Deletes it; what is in flight is broken off',
  method: 'DELETE',
  path,
  params,
})
