import { z } from 'zod'
import { Conditions } from './condition.ts'

const count = () => z.int().min(0)

/** How many targets a run may have: more than Kubernetes has nodes, and few enough for every outcome of each to be written down. */
export const maxTargets = 20_000

/** Ranges of numbers of targets, `0-11,13-39`. At its longest for a number of targets where every third is missing: 12 characters for three. */
const indexes = (description: string) =>
  z
    .string()
    .max(4 * maxTargets)
    .regex(/^([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?$/)
    .describe(description)

const FrozenTargets = z.object({
  names: z.array(z.string().max(253)).max(1024).optional().meta({
    description: 'Names of the targets, where they are few; a target has the number of its place, from 0.',
    'x-kubernetes-list-type': 'atomic',
  }),
  configMap: z
    .string()
    .max(253)
    .optional()
    .describe('Name of the ConfigMap that holds the names, compressed, where they are many.'),
  digest: z.string().max(63).describe('Digest of the list of names.'),
})

const Failure = z.object({
  host: z.string().max(253).describe('Name of the Host.'),
  reason: z.string().max(63).describe('Why, as one CamelCase word for programs.'),
  code: z.int().min(100).max(599).optional().describe('HTTP status code of the answer. Absent: there was no answer.'),
  message: z.string().max(256).describe('Why, as a sentence for people; at most 256 characters.'),
})

const sample = z.array(z.string().max(253)).max(3).describe('Names of up to three of them, the first ones by name.')

const FailureGroup = z.object({
  reason: z
    .string()
    .max(63)
    .describe('Why, as one CamelCase word for programs. Other: the group of all that have none of their own.'),
  code: z.int().min(100).max(599).optional().describe('HTTP status code of the answer. Absent: there was no answer.'),
  message: z.string().max(256).describe('Why, as a sentence for people; at most 256 bytes of JSON.'),
  count: count().describe('Hosts that it happened to.'),
  sample,
})

const AnswerGroup = z.object({
  code: z
    .int()
    .min(100)
    .max(599)
    .optional()
    .describe('HTTP status code. Absent: the group of all answers that have none of their own.'),
  body: z
    .string()
    .max(256)
    .optional()
    .describe(
      'The answer, as far as 256 bytes of JSON go; what is not text, and secrets of the request, are replaced. Absent: the group of all answers that have none of their own.',
    ),
  count: count().describe('Hosts that answered this.'),
  sample,
})

const counts = z.object({
  targets: count().describe('Hosts that the request was meant for.'),
  succeeded: count().describe('Targets that answered with a success code.'),
  failed: count().describe('Targets that answered otherwise or certainly did not get the request.'),
  unknown: count().describe('Targets that may have got the request, and whose answer is not known.'),
  skipped: count().describe('Targets that the request was not sent to, such as offline ones.'),
})

const DryRun = z.object({
  request: z
    .object({
      method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).describe('HTTP method.'),
      url: z
        .string()
        .max(2048)
        .describe('URL, with {host} for the name of a Host, to whose address it goes; at most 2048 bytes of JSON.'),
      headers: z
        .array(z.string().max(256))
        .max(8)
        .describe('Header fields, as name: value, with {uid} for the uid of a Host.'),
      body: z.string().max(4096).optional().describe('Body, at most 4096 bytes of JSON. Absent: there is none.'),
    })
    .describe('The request that each of the targets would get.'),
})

const FormerRun = z.object({
  id: z.string().max(128).describe('Identifier of the run.'),
  state: z
    .enum(['SUCCESS', 'ERROR'])
    .describe('How it ended: SUCCESS or ERROR; ERROR too where a changed spec ended it early.'),
  counts: counts.describe('Targets by outcome, in hosts.'),
  finishTime: z.iso.datetime().describe('When it ended, RFC 3339 in UTC.'),
})

export const HostRequestStatus = z.object({
  state: z
    .enum(['PENDING', 'RUNNING', 'PAUSED', 'SUCCESS', 'ERROR'])
    .describe(
      'PENDING, RUNNING, PAUSED (nothing is sent until the spec says so), then SUCCESS (every online target answered with a success code, and there was one) or ERROR (anything else).',
    ),
  msg: z
    .string()
    .max(1024)
    .describe('What happened, for people: numbers, and who failed or was skipped and why; at most 1024 characters.'),
  progress: z
    .string()
    .max(21)
    .regex(/^[0-9]+[/][0-9]+$/)
    .describe('Hosts that have answered with success, of those that the request is sent to: 2/2.'),
  observedGeneration: count().describe('metadata.generation that this status was written about.'),
  counts: counts.describe('Targets by outcome, in hosts.'),
  run: z
    .object({
      id: z
        .string()
        .max(128)
        .describe(
          'Identifier of the run: uid of the object, its generation when the run was asked for, and runToken, with hyphens between.',
        ),
      specDigest: z
        .string()
        .max(63)
        .describe(
          'Digest of the spec without the fields that only steer a run: as long as it is the same, so is the run.',
        ),
      secretsDigest: z
        .string()
        .max(63)
        .optional()
        .describe(
          'Digest of the versions of the Secrets that parameters come from, as they were when the run began; says nothing of what is in them. Absent: there are none.',
        ),
      startTime: z.iso
        .datetime()
        .optional()
        .describe('When the run began, RFC 3339 in UTC. Absent: it has not, the request is suspended.'),
      finishTime: z.iso.datetime().optional().describe('When the run ended, RFC 3339 in UTC. Absent: it has not.'),
      epoch: count().describe('Number of the leadership of the operator that wrote this.'),
      round: count().describe('Present pass of retries over the wave, from 0.'),
      wave: count().describe('Present wave, from 0.'),
      claim: indexes('Numbers of the targets that are being sent to, written down before; empty: none.'),
      targets: FrozenTargets.describe('The targets, as they were when the run began.'),
    })
    .describe('The present or last run: one wish carried out.'),
  succeeded: indexes('Numbers of the targets that succeeded, as ranges: 0-11,13.'),
  failed: indexes('Numbers of the targets that failed, as ranges.'),
  unknown: indexes('Numbers of the targets whose outcome is not known, as ranges.'),
  skipped: indexes('Numbers of the targets that were skipped, as ranges.'),
  failures: z.array(Failure).max(20).describe('The first 20 hosts that failed or are unknown, by name.'),
  failureGroups: z
    .array(FailureGroup)
    .max(16)
    .describe('Equal failures once, the most frequent first; at most 16, the last one for all the rest.'),
  answers: z
    .array(AnswerGroup)
    .max(16)
    .describe(
      'Equal answers once, the most frequent first; at most 16, the last one for all the rest. Empty with answers: None.',
    ),
  dryRun: DryRun.optional().describe('What would be sent. Absent: this was no dry run.'),
  history: z.array(FormerRun).max(5).describe('The last 5 runs before this one, the last one first.'),
  truncated: z
    .boolean()
    .optional()
    .describe(
      'True: samples, failures or answers were left out, so that the status stays below 64 KiB. Absent: nothing was.',
    ),
  conditions: Conditions.describe(
    'Conditions, at most 8, one of each type. Finished: the run has ended, well or not. Ready: it ended with SUCCESS. Reconciling: it is under way. Stalled: it ended with ERROR, or waits for a person after a failure.',
  ),
})
export type HostRequestStatus = z.infer<typeof HostRequestStatus>
