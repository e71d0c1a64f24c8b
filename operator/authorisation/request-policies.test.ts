import { requestPolicies, targetPolicy, targetPolicyBinding, type HostRequest } from '@keelson/api'
import { describe, expect, test } from 'vitest'
import { policyFault, unauthorised, type PolicyObject } from './request-policies.ts'

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 2, 12, 0, seconds)).toISOString().replace('.000Z', 'Z')
const spec = { fieldsV1: { 'f:spec': {} } }

const policy: PolicyObject = { ...targetPolicy, metadata: { ...targetPolicy.metadata, creationTimestamp: at(10) } }
const binding: PolicyObject = {
  ...targetPolicyBinding,
  metadata: { ...targetPolicyBinding.metadata, creationTimestamp: at(8) },
}

const others = requestPolicies
  .slice(2)
  .map(({ metadata, ...rest }): PolicyObject => ({ ...rest, metadata: { ...metadata, creationTimestamp: at(6) } }))

function request(metadata: Record<string, unknown>): HostRequest {
  return { metadata: { name: 'r', ...metadata } } as unknown as HostRequest
}

describe('policy and binding', () => {
  const { matchConstraints } = targetPolicy.spec

  test('are in place as they are installed', () => {
    expect(policyFault([policy, binding, ...others])).toBeUndefined()
    const louder = { ...targetPolicyBinding.spec, validationActions: ['Audit', 'Deny'] }
    expect(policyFault([policy, { ...binding, spec: louder }, ...others])).toBeUndefined()
  })

  test.each([
    ['the policy is gone', undefined, binding, 'ValidatingAdmissionPolicy hostrequest-targets.keelson.dev is missing'],
    ['the binding is gone', policy, undefined, 'PolicyBinding hostrequest-targets.keelson.dev is missing'],
    [
      'it only audits',
      policy,
      { ...binding, spec: { ...targetPolicyBinding.spec, validationActions: ['Audit'] } },
      'PolicyBinding hostrequest-targets.keelson.dev is not that of this release',
    ],
    [
      'it leaves namespaces out',
      policy,
      { ...binding, spec: { ...targetPolicyBinding.spec, matchResources: { namespaceSelector: { matchLabels: {} } } } },
      'is not that of this release',
    ],
    [
      'it leaves all out',
      {
        ...policy,
        spec: { ...targetPolicy.spec, matchConstraints: { ...matchConstraints, excludeResourceRules: [{}] } },
      },
      binding,
      'ValidatingAdmissionPolicy hostrequest-targets.keelson.dev is not that of this release',
    ],
    [
      'it lets through what fails',
      { ...policy, spec: { ...targetPolicy.spec, failurePolicy: 'Ignore' } },
      binding,
      'is not',
    ],
  ])('%s: nothing is sent, and the message says what to apply', (_, one, other, message) => {
    const refusal = policyFault([one, other, ...others])
    expect(refusal).toMatchObject({ reason: 'PolicyMissing' })
    expect(refusal?.msg).toContain(message)
    expect(refusal?.msg).toContain('install the chart of this release again')
  })
})

test.each(requestPolicies.map(({ kind, metadata }, index) => [kind, metadata.name, index] as const))(
  'the %s %s is as needed as every other',
  (kind, name, index) => {
    const all = [policy, binding, ...others]
    const msg = (what: string) => `the ${kind} ${name} is ${what}; install the chart of this release again`
    expect(policyFault(all.with(index, undefined as unknown as PolicyObject))?.msg).toBe(msg('missing'))
    const bent = { ...all[index]!, spec: { ...(all[index]!.spec as object), more: true } }
    expect(policyFault(all.with(index, bent))?.msg).toBe(msg('not that of this release'))
    const late = { ...all[index]!, metadata: { ...all[index]!.metadata, creationTimestamp: at(20) } }
    const metadata = { generation: 1, creationTimestamp: at(24) }
    expect(unauthorised(request(metadata), all)).toBeUndefined()
    expect(unauthorised(request(metadata), all.with(index, late))?.msg).toContain(`before the policy ${name} was`)
  },
)

describe('a request', () => {
  const judged = (metadata: Record<string, unknown>, changed: PolicyObject = policy) =>
    unauthorised(request(metadata), [changed, binding, ...others]) === undefined

  test('was asked about if it was made 5 s after the later of both, or more', () => {
    expect(judged({ generation: 1, creationTimestamp: at(15) })).toBe(true)
    expect(judged({ generation: 1, creationTimestamp: at(14) })).toBe(false)
    expect(judged({ generation: 1, creationTimestamp: at(5) })).toBe(false)
  })

  test('of the first generation counts from its creation, whatever else it says of itself', () => {
    const managedFields = [{ ...spec, time: at(50) }]
    expect(judged({ generation: 1, creationTimestamp: at(5), managedFields })).toBe(false)
  })

  test('that was changed counts from its change, by whomever', () => {
    const changed = (time: string, more = {}) => ({
      ...{ generation: 2, creationTimestamp: at(5) },
      managedFields: [
        { ...spec, time: at(5) },
        { ...spec, time, ...more },
      ],
    })
    expect(judged(changed(at(15)))).toBe(true)
    expect(judged(changed(at(14)))).toBe(false)
    // Neither a status nor a label is a wish.
    expect(judged(changed(at(15), { subresource: 'status' }))).toBe(false)
    expect(judged(changed(at(15), { fieldsV1: { 'f:metadata': {} } }))).toBe(false)
    expect(judged({ generation: 2, creationTimestamp: at(5) })).toBe(false)
  })

  test('was not asked about if the policy was changed since', () => {
    const edited = (time: string, subresource = '') =>
      ({
        ...policy,
        metadata: { ...policy.metadata, managedFields: [{ time, subresource, fieldsV1: {} }] },
      }) as PolicyObject
    const metadata = { generation: 1, creationTimestamp: at(30) }
    expect(judged(metadata, edited(at(25)))).toBe(true)
    expect(judged(metadata, edited(at(26)))).toBe(false)
    // What a controller reports about it changes nothing.
    expect(judged(metadata, edited(at(26), 'status'))).toBe(true)
  })
})
