import { isDeepStrictEqual } from 'node:util'
import { requestPolicies, type HostRequest } from '@keelson/api'
import { defineKind, type Kind, type KubernetesObject } from '@keelson/kube'
import type { Refusal } from '../requests/verdict.ts'
import { changedAt, specWrittenAt } from './written-at.ts'

export type PolicyObject = KubernetesObject & { readonly spec?: unknown }

const group = { apiVersion: 'admissionregistration.k8s.io/v1', namespaced: false }

export const policyKind = defineKind<PolicyObject>({
  ...{ ...group, kind: 'ValidatingAdmissionPolicy', plural: 'validatingadmissionpolicies' },
})

export const policyBindingKind = defineKind<PolicyObject>({
  ...{ ...group, kind: 'ValidatingAdmissionPolicyBinding', plural: 'validatingadmissionpolicybindings' },
})

/** One of the objects by which the API server asks RBAC about a request, as it must be. */
export type WantedPolicy = {
  readonly of: Kind<PolicyObject>
  readonly name: string
  readonly spec: unknown
}

/** All of them, each policy before its binding. */
export const wantedPolicies: readonly WantedPolicy[] = requestPolicies.map(({ kind, metadata, spec }) => ({
  of: kind === 'ValidatingAdmissionPolicy' ? policyKind : policyBindingKind,
  name: metadata.name,
  spec,
}))

/** The reason in conditions, for programs. */
export const policyMissing = 'PolicyMissing'

/** It takes a second or two until the API server asks by a policy that has come. */
const inForceAfterMs = 5_000

const remedy = 'install the chart of this release again'

/**
 * Why nothing may be sent: a policy or binding is missing, or says anything else than this release wants, be it more or less: the operator cannot judge what it does
 * not know. Undefined: all are in place.
 *
 * @param found one for each of `wantedPolicies`
 */
export function policyFault(found: readonly (PolicyObject | undefined)[]): Refusal | undefined {
  const faults = wantedPolicies.map((wanted, index) => faultOf(wanted, found[index]))
  const fault = faults.find((text) => text !== undefined)
  return fault === undefined ? undefined : refusal(`${fault}; ${remedy}`)
}

/**
 * Why a request may not be run although all policies and bindings are in place: one of them was changed after it was written, or so shortly before that it may
 * not have been in force. So nobody knows whether the API server has asked. All must be read after the request: what is unchanged since before the request was
 * written was there when it was.
 */
export function unauthorised(request: HostRequest, policies: readonly PolicyObject[]): Refusal | undefined {
  const latest = policies.toSorted((a, b) => changedAt(b) - changedAt(a))[0]!
  if (specWrittenAt(request) >= changedAt(latest) + inForceAfterMs) return undefined
  return refusal(
    `the request was written before the policy ${latest.metadata.name} was in force, which is ${inForceAfterMs / 1_000} s after its last change; change runToken to have it judged and run`,
  )
}

function faultOf({ of, name, spec }: WantedPolicy, found: PolicyObject | undefined): string | undefined {
  const what = `the ${of.kind} ${name}`
  if (found === undefined) return `${what} is missing`
  const present = of === policyBindingKind ? withoutFurtherActions(found) : found
  return isDeepStrictEqual(present.spec, spec) ? undefined : `${what} is not that of this release`
}

/** A binding that denies may also warn and audit. */
function withoutFurtherActions(binding: PolicyObject): PolicyObject {
  const spec = binding.spec as { readonly validationActions?: readonly string[] } | undefined
  const denies = spec?.validationActions?.includes('Deny') === true
  return denies ? { ...binding, spec: { ...spec, validationActions: ['Deny'] } } : binding
}

function refusal(msg: string): Refusal {
  return { reason: policyMissing, msg }
}
