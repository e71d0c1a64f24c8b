import { celString } from './crd/validation-rule.ts'
import { generatedYaml } from './generated-yaml.ts'
import { agentPort, group, version } from './group.ts'

/** `admissionregistration.k8s.io/v1`, as far as it is used here; defaults are written out, so that what is stored equals what is written. */
export type AdmissionPolicy = {
  readonly apiVersion: 'admissionregistration.k8s.io/v1'
  readonly kind: 'ValidatingAdmissionPolicy'
  readonly metadata: { readonly name: string; readonly annotations: Readonly<Record<string, string>> }
  readonly spec: {
    readonly failurePolicy: 'Fail'
    readonly matchConstraints: {
      readonly matchPolicy: 'Equivalent'
      readonly namespaceSelector: Readonly<Record<string, never>>
      readonly objectSelector: Readonly<Record<string, never>>
      readonly resourceRules: readonly {
        readonly apiGroups: readonly string[]
        readonly apiVersions: readonly string[]
        readonly operations: readonly ('CREATE' | 'UPDATE')[]
        readonly resources: readonly string[]
        readonly scope: 'Namespaced'
      }[]
    }
    readonly matchConditions: readonly NamedExpression[]
    readonly variables: readonly NamedExpression[]
    readonly validations: readonly Validation[]
  }
}

export type AdmissionPolicyBinding = {
  readonly apiVersion: 'admissionregistration.k8s.io/v1'
  readonly kind: 'ValidatingAdmissionPolicyBinding'
  readonly metadata: { readonly name: string }
  readonly spec: { readonly policyName: string; readonly validationActions: readonly ['Deny'] }
}

type NamedExpression = { readonly name: string; readonly expression: string }

type Validation = {
  readonly expression: string
  readonly reason: 'Forbidden'
  /** Shown where `messageExpression` cannot be: a user name may hold a line break. */
  readonly message: string
  readonly messageExpression: string
}

/**
 * How many hosts one request may name on the strength of rights to single hosts. CEL charges a check 350,000 of the 10,000,000 that
 * a policy may spend on one object, and of the 1,000,000 that one expression may: so each host has a validation of its own.
 */
export const maxNamedHosts = 24

/** The first word of the agent's API is the subresource of `hosts` that is asked for. */
const agentPathPattern = '^/v1/[A-Za-z][A-Za-z0-9]*(/.*)?$'

const name = `hostrequest-targets.${group}`
const http = 'object.spec.http'
const workers = 'object.spec.workers'

const variables: readonly NamedExpression[] = [
  { name: 'verb', expression: `${http}.method == "GET" ? "get" : "update"` },
  {
    name: 'subresource',
    expression:
      `${http}.port == ${agentPort} && ${http}.api.matches(${celString(agentPathPattern)})` +
      ` ? ${http}.api.split("/")[2] : "proxy"`,
  },
  {
    name: 'hosts',
    expression: `authorizer.group(${celString(group)}).resource("hosts").subresource(variables.subresource)`,
  },
  { name: 'everyHost', expression: 'variables.hosts.check(variables.verb).allowed()' },
  // The workers that must be asked for one by one. A selector only narrows them.
  { name: 'asked', expression: `variables.everyHost ? [] : ${workers}` },
  // Messages have no authorizer, so these two and the messages themselves use no variable that asks it.
  {
    name: 'who',
    expression: `"user \\"%s\\" may not %s hosts/%s on ".format([request.userInfo.username, variables.verb, variables.subresource])`,
  },
  {
    name: 'why',
    expression: `", as %s %s on port %s requires".format([${http}.method, ${http}.api, string(${http}.port)])`,
  },
]

const allHosts: Validation = {
  expression: `variables.everyHost || size(${workers}) > 0`,
  reason: 'Forbidden',
  message: 'this user has no right to every host',
  messageExpression: 'variables.who + "every host" + variables.why + " when spec.workers names none"',
}

const atMost: Validation = {
  expression: `size(variables.asked) <= ${maxNamedHosts}`,
  reason: 'Forbidden',
  message: `this user has no right to every host, and more than ${maxNamedHosts} are named`,
  messageExpression:
    `variables.who + "every host" + variables.why` +
    ` + " when spec.workers names more than ${maxNamedHosts}: it names " + string(size(${workers}))`,
}

function oneHost(index: number): Validation {
  return {
    expression:
      `size(variables.asked) <= ${index}` +
      ` || variables.hosts.name(variables.asked[${index}].name).check(variables.verb).allowed()`,
    reason: 'Forbidden',
    message: `this user has no right to the host in spec.workers[${index}]`,
    messageExpression: `variables.who + "host \\"" + ${workers}[${index}].name + "\\"" + variables.why`,
  }
}

/** Who may target which host: RBAC, asked on behalf of whoever creates or changes a HostRequest. */
export const targetPolicy: AdmissionPolicy = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicy',
  metadata: {
    name,
    annotations: {
      'kubernetes.io/description':
        `Whoever creates or changes a HostRequest needs, on each host that it names, the verb get (for GET) or update (for every other` +
        ` method) on hosts/<first word of the agent's API>, or on hosts/proxy for every other path and port. See docs/security.md.`,
    },
  },
  spec: {
    failurePolicy: 'Fail',
    matchConstraints: {
      matchPolicy: 'Equivalent',
      namespaceSelector: {},
      objectSelector: {},
      resourceRules: [
        {
          apiGroups: [group],
          apiVersions: [version],
          operations: ['CREATE', 'UPDATE'],
          resources: ['hostrequests'],
          scope: 'Namespaced',
        },
      ],
    },
    // A generation is what is run, so a new one is what is asked about. It moves where CEL sees no difference: 10 and 10.0 are equal to it.
    matchConditions: [
      {
        name: 'new-generation',
        expression: 'oldObject == null || object.metadata.generation != oldObject.metadata.generation',
      },
    ],
    variables,
    validations: [allHosts, atMost, ...Array.from({ length: maxNamedHosts }, (_, index) => oneHost(index))],
  },
}

/** Without it the policy says nothing. */
export const targetPolicyBinding: AdmissionPolicyBinding = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { name },
  spec: { policyName: name, validationActions: ['Deny'] },
}

/** Policy and binding: name of the file → YAML. */
export function admissionPolicies(): Record<string, string> {
  return { 'hostrequest-targets.yaml': generatedYaml(targetPolicy, targetPolicyBinding) }
}
