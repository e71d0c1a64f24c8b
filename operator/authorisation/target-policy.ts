import { isDeepStrictEqual } from 'node:util'
import { targetPolicy, targetPolicyBinding, type HostRequest } from '@keelson/api'
import { defineKind, type KubernetesObject } from '@keelson/kube'
import type { Refusal } from '../requests/verdict.ts'
import { changedAt, specWrittenAt } from './written-at.ts'

export type PolicyObject = KubernetesObject & { readonly spec?: unknown }

/** One of the two objects by which the API server asks RBAC who may target which host, as it must be. */
type Wanted = { readonly kind: string; readonly metadata: { readonly name: string }; readonly spec: unknown }

const group = { apiVersion: targetPolicy.apiVersion, namespaced: false }

export const policyKind = defineKind<PolicyObject>({
  ...{ ...group, kind: targetPolicy.kind, plural: 'validatingadmissionpolicies' },
})

export const policyBindingKind = defineKind<PolicyObject>({
  ...{ ...group, kind: targetPolicyBinding.kind, plural: 'validatingadmissionpolicybindings' },
})

/** The reason in conditions, for programs. */
export const policyMissing = 'PolicyMissing'

/** It takes a second or two until the API server asks by a policy that has come. */
const inForceAfterMs = 5_000

const remedy = 'apply deploy/admission of this release'

/**
 * Why nothing may be sent: policy or binding is missing, or says anything else than this release wants, be it more or less: the operator cannot judge what it does
 * not know. Undefined: both are in place.
 */
export function policyFault(policy: PolicyObject | undefined, binding: PolicyObject | undefined): Refusal | undefined {
  const fault = faultOf(targetPolicy, policy) ?? faultOf(targetPolicyBinding, withoutFurtherActions(binding))
  return fault === undefined ? undefined : refusal(`${fault}; ${remedy}`)
}

/**
 * Why a request may not be run although policy and binding are in place: one of them was changed after it was written, or so shortly before that it may not
 * have been in force. So nobody knows whether the API server has asked. Both must be read after the request: what is unchanged since before the request was
 * written was there when it was.
 */
export function unauthorised(request: HostRequest, policy: PolicyObject, binding: PolicyObject): Refusal | undefined {
  const since = Math.max(changedAt(policy), changedAt(binding))
  if (specWrittenAt(request) >= since + inForceAfterMs) return undefined
  return refusal(
    `the request was written before the policy ${targetPolicy.metadata.name} was in force, which is ${inForceAfterMs / 1_000} s after its last change; change runToken to have it judged and run`,
  )
}

function faultOf({ kind, metadata, spec }: Wanted, found: PolicyObject | undefined): string | undefined {
  const what = `the ${kind} ${metadata.name}`
  if (found === undefined) return `${what} is missing`
  return isDeepStrictEqual(found.spec, spec) ? undefined : `${what} is not that of this release`
}

/** A binding that denies may also warn and audit. */
function withoutFurtherActions(binding: PolicyObject | undefined): PolicyObject | undefined {
  const spec = binding?.spec as { readonly validationActions?: readonly string[] } | undefined
  const denies = spec?.validationActions?.includes('Deny') === true
  return binding !== undefined && denies ? { ...binding, spec: { ...spec, validationActions: ['Deny'] } } : binding
}

function refusal(msg: string): Refusal {
  return { reason: policyMissing, msg }
}
