import { admissionPolicy, bindingOf, type Validation } from './admission-policy.ts'
import { group } from './group.ts'

/** How many parameters of one request may come from Secrets. As with named hosts, each has a validation of its own for what a check costs. */
export const maxSecretParameters = 24

const atMost: Validation = {
  expression: `size(variables.secrets) <= ${maxSecretParameters}`,
  reason: 'Forbidden',
  message: `more than ${maxSecretParameters} parameters come from Secrets`,
  messageExpression: `"%d parameters come from Secrets, and ${maxSecretParameters} may".format([size(variables.secrets)])`,
}

function oneSecret(index: number): Validation {
  const secret = `variables.secrets[${index}]`
  return {
    expression: `size(variables.secrets) <= ${index} || variables.reader.name(${secret}).check("get").allowed()`,
    reason: 'Forbidden',
    message: 'this user has no right to a Secret in spec.http.parameters',
    messageExpression:
      `"user \\"%s\\" may not get the Secret \\"%s\\" in the namespace \\"%s\\", as a value from it requires"` +
      `.format([request.userInfo.username, ${secret}, request.namespace])`,
  }
}

/**
 * Who may have a Secret sent to hosts: whoever may get it himself, asked on behalf of whoever creates or changes a HostRequest. The operator may get Secrets
 * that the author may not, so it must not lend him its eyes.
 */
export const secretPolicy = admissionPolicy({
  name: `hostrequest-secrets.${group}`,
  description: `Whoever creates or changes a HostRequest needs, on each Secret of its namespace that a parameter comes from, the verb get. See docs/security.md.`,
  variables: [
    {
      name: 'secrets',
      expression: 'object.spec.http.parameters.filter(p, has(p.valueFrom)).map(p, p.valueFrom.secretKeyRef.name)',
    },
    { name: 'reader', expression: 'authorizer.group("").resource("secrets").namespace(request.namespace)' },
  ],
  validations: [atMost, ...Array.from({ length: maxSecretParameters }, (_, index) => oneSecret(index))],
})

export const secretPolicyBinding = bindingOf(secretPolicy)
