import { group, version } from './group.ts'

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

export type NamedExpression = { readonly name: string; readonly expression: string }

export type Validation = {
  readonly expression: string
  readonly reason: 'Forbidden'
  /** Shown where `messageExpression` cannot be: a user name may hold a line break. */
  readonly message: string
  readonly messageExpression: string
}

type Question = {
  readonly name: string
  readonly description: string
  readonly variables: readonly NamedExpression[]
  readonly validations: readonly Validation[]
}

/** A policy that is asked about each new wish of a HostRequest, on behalf of whoever creates or changes it. What cannot be judged is refused. */
export function admissionPolicy({ name, description, variables, validations }: Question): AdmissionPolicy {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name, annotations: { 'kubernetes.io/description': description } },
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
      validations,
    },
  }
}

/** Without it the policy says nothing. */
export function bindingOf({ metadata: { name } }: AdmissionPolicy): AdmissionPolicyBinding {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'] },
  }
}
