import { admissionPolicy, bindingOf, type NamedExpression, type Validation } from './admission-policy.ts'
import { celString } from './crd/validation-rule.ts'
import { agentPort, group } from './group.ts'

/**
 * How many hosts one request may name on the strength of rights to single hosts. CEL charges a check 350,000 of the 10,000,000 that
 * a policy may spend on one object, and of the 1,000,000 that one expression may: so each host has a validation of its own.
 */
export const maxNamedHosts = 24

/** The first word of the agent's API is the subresource of `hosts` that is asked for. */
const agentPathPattern = '^/v1/[A-Za-z][A-Za-z0-9]*(/.*)?$'

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
export const targetPolicy = admissionPolicy({
  name: `hostrequest-targets.${group}`,
  description:
    `Whoever creates or changes a HostRequest needs, on each host that it names, the verb get (for GET) or update (for every other` +
    ` method) on hosts/<first word of the agent's API>, or on hosts/proxy for every other path and port. See docs/security.md.`,
  variables,
  validations: [allHosts, atMost, ...Array.from({ length: maxNamedHosts }, (_, index) => oneHost(index))],
})

export const targetPolicyBinding = bindingOf(targetPolicy)
