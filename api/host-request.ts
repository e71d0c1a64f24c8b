import { z } from 'zod'
import { apiPathPattern, apiPathRules, maxApiPathLength } from './api-path.ts'
import type { ValidationRule } from './crd/validation-rule.ts'
import { agentPort, apiVersion } from './group.ts'
import { HostRequestStatus } from './host-request-status.ts'
import { LabelSelector } from './label-selector.ts'
import { ObjectMeta } from './object-meta.ts'
import {
  maxKeyLength,
  maxParameters,
  maxValueLength,
  parameterListRules,
  parameterRules,
  textRule,
} from './parameters.ts'
import { portRules } from './ports.ts'
import { successCodePattern } from './success-codes.ts'

export const plainAgentMessage = `the agent's port ${agentPort} speaks https only`

export const typedElsewhereMessage = `check: Typed is for the agent's port ${agentPort} alone: nobody else has a grammar for each key`

export const secretElsewhereMessage = `valueFrom is for the agent's port ${agentPort} alone: it takes mutual TLS to know who gets a secret`

const httpRules: readonly ValidationRule[] = [
  {
    rule: `!(has(self.scheme) && self.scheme == "http" && self.port == ${agentPort})`,
    fieldPath: '.scheme',
    reason: 'FieldValueForbidden',
    message: plainAgentMessage,
  },
  {
    rule: `!(has(self.check) && self.check == "Typed" && self.port != ${agentPort})`,
    fieldPath: '.check',
    reason: 'FieldValueForbidden',
    message: typedElsewhereMessage,
  },
  textRule,
  {
    rule: `self.port == ${agentPort} || !has(self.parameters) || !self.parameters.exists(p, has(p.valueFrom))`,
    fieldPath: '.parameters',
    reason: 'FieldValueForbidden',
    message: secretElsewhereMessage,
  },
]

const subdomain = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/

const Worker = z.object({
  name: z.string().max(253).regex(subdomain).describe('Name of a Host: a DNS subdomain of at most 253 characters.'),
})

/** As Kubernetes wants keys of a Secret: neither `.` nor anything that begins with `..`. */
const secretKey = /^([A-Za-z0-9_-]|[.][A-Za-z0-9_-])[A-Za-z0-9._-]*$/

const SecretKeyRef = z.object({
  name: z
    .string()
    .max(253)
    .regex(subdomain)
    .describe('Name of a Secret in the namespace of the request: a DNS subdomain of at most 253 characters.'),
  key: z
    .string()
    .max(253)
    .regex(secretKey)
    .describe('Key within the Secret: letters, digits and . _ -; at most 253 characters.'),
})

const Parameter = z
  .object({
    key: z
      .string()
      .min(1)
      .max(maxKeyLength)
      .describe(`Letters, digits and . _ / -, beginning with a letter or digit; at most ${maxKeyLength} characters.`),
    value: z
      .string()
      .max(maxValueLength)
      .optional()
      .describe(
        `At most ${maxValueLength} characters, may be empty and hold spaces; no control character, and with check: Text no leading hyphen and no character that means something to a shell. Either this or valueFrom.`,
      ),
    valueFrom: z
      .object({
        secretKeyRef: SecretKeyRef.describe(
          'The key of a Secret whose value is sent, in UTF-8; value says what it may be.',
        ),
      })
      .optional()
      .describe(
        `Where the value comes from instead. It is read when the run begins; on port ${agentPort} only. Whoever writes this needs the right to get the Secret.`,
      ),
  })
  .meta({ 'x-kubernetes-validations': parameterRules })

const percentage = /^(100|[1-9][0-9]?)%$/

/** A number from 1, or a percentage as `5%`. */
function amount(maximum: number) {
  return z.union([z.int().min(1).max(maximum), z.string().regex(percentage)])
}

const HttpRequest = z
  .object({
    port: z
      .int()
      .min(1)
      .max(65535)
      .meta({
        description: `TCP port on the host, 1 to 65535; ${agentPort} is the agent's. Ports of SSH and of the cluster itself are refused.`,
        'x-kubernetes-validations': portRules,
      }),
    api: z
      .string()
      .max(maxApiPathLength)
      .regex(apiPathPattern)
      .meta({
        description: `Path on the host, as /v1/sysctl: letters, digits and . _ ~ / - after a slash, at most ${maxApiPathLength} characters, without // and segments . or ..`,
        'x-kubernetes-validations': apiPathRules,
      }),
    method: z
      .enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
      .describe(
        'HTTP method: GET, POST, PUT, PATCH or DELETE. GET and DELETE bear the parameters in the query, the others as a JSON object of strings.',
      ),
    targetType: z
      .enum(['All', 'ControlPlane', 'Worker'])
      .default('All')
      .describe('Role of the hosts that get the request: All, ControlPlane or Worker. Default: All.'),
    parameters: z
      .array(Parameter)
      .max(maxParameters)
      .default([])
      .meta({
        description: `What the request bears, in this order; at most ${maxParameters}, no key twice. Default: nothing.`,
        'x-kubernetes-validations': parameterListRules,
      }),
    check: z
      .enum(['Text', 'Typed'])
      .default('Text')
      .describe(
        `How values of parameters are checked. Text: nothing in them means anything to a shell. Typed: by the agent, with the grammar of each type, which runs no shell; on port ${agentPort} only. Default: Text.`,
      ),
    scheme: z
      .enum(['http', 'https'])
      .optional()
      .describe(
        `http, or https, where the certificate must bear the name of the Host; mutual TLS on port ${agentPort}. Default: https on port ${agentPort}, where http is refused, and http on every other port.`,
      ),
    successCodes: z
      .array(z.string().regex(successCodePattern))
      .min(1)
      .max(16)
      .default(['2xx'])
      .describe(
        'Status codes that count as success, 1 to 16 of them, each a code from 100 to 599 or a class as 2xx. Default: 2xx.',
      ),
  })
  .meta({ 'x-kubernetes-validations': httpRules })

export const HostRequestSpec = z.object({
  workers: z
    .array(Worker)
    .max(1024)
    .describe(
      'Hosts by name, at most 1024; a name given twice counts once. Required: an empty list means every host, so that forgetting it never does.',
    ),
  hostSelector: LabelSelector.optional().describe(
    'Narrows the hosts further to those whose labels match. Default: no narrowing.',
  ),
  http: HttpRequest.describe('The HTTP request that each host gets.'),
  timeoutSeconds: z
    .int()
    .min(1)
    .max(3600)
    .default(10)
    .describe(
      'Time for one delivery to one host, from connecting to the last byte of the answer, in seconds, 1 to 3600. Default: 10 seconds.',
    ),
  activeDeadlineSeconds: z
    .int()
    .min(1)
    .max(604_800)
    .default(3600)
    .describe(
      'Time for the whole run, pauses included, in seconds, 1 to 604,800 (a week). What is not sent by then is not sent. May be changed under way. Default: 3600 seconds.',
    ),
  parallelism: amount(1024)
    .default(64)
    .describe(
      'Deliveries under way at a time: a number of hosts, 1 to 1024, or a percentage of the targets, 1% to 100%. Default: 64 hosts.',
    ),
  retry: z
    .object({
      limit: z
        .int()
        .min(0)
        .max(10)
        .default(0)
        .describe(
          'Further rounds over the hosts that failed, 0 to 10; before each a random wait that grows. Default: 0 rounds.',
        ),
    })
    .default({ limit: 0 })
    .describe('Rounds over the hosts of a wave that failed for certain. Default: none.'),
  waves: z
    .array(amount(100_000).describe('A number of hosts, or a percentage of all targets.'))
    .min(1)
    .max(16)
    .default(['100%'])
    .describe(
      'How far each wave reaches, cumulative: [1, "5%", "100%"] tries one host, then a twentieth, then all. 1 to 16 waves; the last one always reaches all. Default: one wave.',
    ),
  maxFailures: z
    .union([z.int().min(0).max(100_000), z.string().regex(percentage)])
    .default('100%')
    .describe(
      'More failures than this stop the run, counted at each answer: a number of hosts, 0 to 100,000, or a percentage of the targets, rounded up. May be changed under way. Default: 100%.',
    ),
  onFailure: z
    .enum(['Stop', 'Pause', 'Continue'])
    .default('Stop')
    .describe(
      'What a failure in a wave does to the next one. Stop: it does not begin, the run ends. Pause: the run waits for Continue or Stop here. Continue: it begins all the same. More failures than maxFailures end the run, or with Pause have it wait. May be changed under way. Default: Stop.',
    ),
  onOffline: z
    .enum(['Skip', 'Wait', 'Try'])
    .default('Skip')
    .describe(
      "Hosts whose Node is not Ready. Skip: they are skipped and named. Wait: they are sent to once they are back, until the run's deadline. Try: they are sent to at once. Default: Skip.",
    ),
  onUnknown: z
    .enum(['Fail', 'Resend'])
    .default('Fail')
    .describe(
      'Hosts that may have got an unsafe request whose answer was lost when the operator ended. Fail: they count as unknown. Resend: they get it again, at the risk of twice. Default: Fail.',
    ),
  answers: z
    .enum(['Sample', 'None'])
    .optional()
    .describe(
      'What is kept of what hosts answer. Sample: equal answers once, 16 groups of at most 256 bytes, with up to three hosts each. None: nothing. Default: Sample for GET, None for every other method.',
    ),
  dryRun: z
    .boolean()
    .default(false)
    .describe(
      'True: nothing is sent; the status tells which hosts would get the request, and the request itself. Default: false.',
    ),
  ttlSecondsAfterFinished: z
    .int()
    .min(0)
    .max(31_536_000)
    .optional()
    .describe(
      'Time after which the object is deleted once its run has ended, in seconds, 0 (at once) to 31,536,000 (a year). May be changed at any time. Only for objects made by kubectl create: a GitOps tool would make a deleted one again, and so run it again. Default: it is kept.',
    ),
  runToken: z
    .string()
    .max(63)
    .regex(/^[A-Za-z0-9._-]*$/)
    .default('')
    .describe(
      'Change it to run again; letters, digits and . _ -, at most 63 characters. A changed spec runs again by itself. Default: empty.',
    ),
  suspend: z
    .boolean()
    .default(false)
    .describe(
      'True: nothing more is sent; what is under way ends, and a run that has not begun does not begin. False again: it goes on where it stood. Time goes on meanwhile: see activeDeadlineSeconds. Default: false.',
    ),
})
/** As the API server stores it: defaults filled in. What a person writes is `z.input<typeof HostRequestSpec>`. */
export type HostRequestSpec = z.infer<typeof HostRequestSpec>

/** One HTTP request to many hosts. */
export const HostRequest = z
  .object({
    apiVersion: z.literal(apiVersion),
    kind: z.literal('HostRequest'),
    metadata: ObjectMeta,
    spec: HostRequestSpec.describe(
      'What is sent, and to which hosts. Each change of it is a new run, except for suspend, onFailure, maxFailures, activeDeadlineSeconds and ttlSecondsAfterFinished, which steer the present one.',
    ),
    status: HostRequestStatus.describe('How the run goes; written by the operator.').exactOptional(),
  })
  .describe(
    'A HostRequest is one HTTP request to many hosts: it is sent once to every host that is chosen and online, and the status tells what came of it.',
  )
export type HostRequest = z.infer<typeof HostRequest>
