import type { AdmissionPolicy } from '../admission-policy.ts'
import { maxSecretParameters, secretPolicy } from '../secret-policy.ts'
import { maxNamedHosts, targetPolicy } from '../target-policy.ts'
import type { AuthorisationCase } from './case.ts'
import { secretCases } from './secret-cases.ts'
import { targetCases } from './target-cases.ts'

type Spec = AdmissionPolicy['spec']

/** A policy with exactly one of its parts left out or bent. */
export type PolicyMutant = {
  readonly title: string
  readonly policy: AdmissionPolicy
  /** As `AdmissionPolicy.spec`, but for what is left out. */
  readonly spec: Readonly<Record<keyof Spec, unknown>>
  /** The one of the first hosts or Secrets whose validation it is. */
  readonly slot?: number
}

/** Parts of expressions and what stands in their place, by name of the variable. */
type Bent = Readonly<Record<string, readonly (readonly [part: string, instead: string])[]>>

/** A policy, and how it may be bent. */
export type Subject = {
  readonly policy: AdmissionPolicy
  /** What it must say. */
  readonly cases: readonly AuthorisationCase[]
  /** How many validations stand for one host or Secret each; they are the last ones. */
  readonly slots: number
  readonly bent: Bent
  /** Variables that are words alone. */
  readonly words: readonly string[]
}

const bentTargets: Bent = {
  verb: [
    ['object.spec.http.method == "GET"', 'true'],
    ['object.spec.http.method == "GET"', 'false'],
  ],
  subresource: [
    ['object.spec.http.port == 7117 && ', ''],
    [' && object.spec.http.api.matches("^/v1/[A-Za-z][A-Za-z0-9]*(/.*)?$")', ''],
    ['"^/v1', '"/v1'],
    ['/v1/', '/[Vv]1/'],
    ['/v1/', '/v[0-9]/'],
    ['[A-Za-z][A-Za-z0-9]*', '[A-Za-z0-9]+'],
    ['[A-Za-z][A-Za-z0-9]*', '[A-Za-z0-9]*'],
    ['[A-Za-z][A-Za-z0-9]*', '[A-Za-z0-9.~-]+'],
    ['(/.*)?$', ''],
    ['(/.*)?$', '$'],
    ['"proxy"', '"sysctl"'],
  ],
  hosts: [
    ['.group("keelson.dev")', '.group("")'],
    ['.group("keelson.dev")', '.group("example.com")'],
    ['.subresource(variables.subresource)', ''],
  ],
  everyHost: [
    ['variables.hosts.check(variables.verb).allowed()', 'true'],
    ['variables.hosts.check(variables.verb).allowed()', 'false'],
    ['variables.verb', '"create"'],
  ],
  asked: [
    ['variables.everyHost ? [] : ', ''],
    ['object.spec.workers', '[]'],
  ],
}

const bentSecrets: Bent = {
  secrets: [
    ['.filter(p, has(p.valueFrom))', '.filter(p, false)'],
    ['p.valueFrom.secretKeyRef.name)', '"secret0")'],
    ['p.valueFrom.secretKeyRef.name)', 'p.valueFrom.secretKeyRef.key)'],
  ],
  reader: [
    ['.group("")', '.group("keelson.dev")'],
    ['"secrets"', '"configmaps"'],
    ['.resource("secrets")', '.resource("secrets").subresource("status")'],
    ['.namespace(request.namespace)', ''],
    ['.namespace(request.namespace)', '.namespace("people")'],
    ['.namespace(request.namespace)', '.namespace(object.metadata.name)'],
  ],
}

function bend(expression: string, [part, instead]: readonly [string, string]): string {
  if (!expression.includes(part)) throw new Error(`${part} is no part of ${expression}`)
  return expression.replace(part, () => instead)
}

function* variableMutants({ policy, bent }: Subject): Generator<PolicyMutant> {
  const { spec } = policy
  const { variables } = spec
  for (const [name, changes] of Object.entries(bent)) {
    const index = variables.findIndex((variable) => variable.name === name)
    for (const change of changes) {
      const expression = bend(variables[index]?.expression ?? '', change)
      const title = `${name}: ${change[0]} → ${change[1]}`
      yield { title, policy, spec: { ...spec, variables: variables.with(index, { name, expression }) } }
    }
  }
}

function* validationMutants({ policy, slots }: Subject): Generator<PolicyMutant> {
  const { spec } = policy
  const { validations } = spec
  const firstSlot = validations.length - slots
  for (const [index, validation] of validations.entries()) {
    const { expression } = validation
    const parts = expression.split(' || ')
    const without = (part: string) => parts.filter((other) => other !== part).join(' || ')
    const replacements: [string, object[]][] = [
      ['is gone', []],
      ['lacks its reason', [{ ...validation, reason: undefined }]],
      ['lacks its words', [{ ...validation, messageExpression: undefined }]],
      ...(parts.length > 1 ? parts : []).map((part): [string, object[]] => [
        `lacks ${part}`,
        [{ ...validation, expression: without(part) }],
      ]),
    ]
    for (const [what, replacement] of replacements) {
      const changed = (validations as readonly object[]).toSpliced(index, 1, ...replacement)
      yield {
        title: `validation ${index} ${what}`,
        policy,
        spec: { ...spec, validations: changed },
        ...(index >= firstSlot && { slot: index - firstSlot }),
      }
    }
  }
}

function* matchMutants({ policy, slots }: Subject): Generator<PolicyMutant> {
  const { spec } = policy
  const { validations, matchConditions, matchConstraints } = spec
  yield { title: 'every update is matched', policy, spec: { ...spec, matchConditions: [] } }
  for (const expression of [
    'oldObject == null',
    'object.metadata.generation != oldObject.metadata.generation',
    // What comes to mind first: it takes 10.0 for 10, which the API server does not.
    'oldObject == null || object.spec != oldObject.spec',
  ]) {
    const changed = matchConditions.map((condition) => ({ ...condition, expression }))
    yield { title: `matched where ${expression}`, policy, spec: { ...spec, matchConditions: changed } }
  }
  for (const operation of ['CREATE', 'UPDATE'] as const) {
    const resourceRules = matchConstraints.resourceRules.map((rule) => ({ ...rule, operations: [operation] }))
    yield {
      title: `only ${operation} is matched`,
      policy,
      spec: { ...spec, matchConstraints: { ...matchConstraints, resourceRules } },
    }
  }
  const before = validations.length - slots - 1
  const atMost = validations[before]!
  for (const limit of [slots - 1, slots + 1]) {
    const expression = bend(atMost.expression, [String(slots), String(limit)])
    yield {
      title: `at most ${limit}`,
      policy,
      spec: { ...spec, validations: validations.with(before, { ...atMost, expression }) },
    }
  }
}

export const subjects: readonly Subject[] = [
  { policy: targetPolicy, cases: targetCases, slots: maxNamedHosts, bent: bentTargets, words: ['who', 'why'] },
  { policy: secretPolicy, cases: secretCases, slots: maxSecretParameters, bent: bentSecrets, words: [] },
]

export function policyMutants(subject: Subject): readonly PolicyMutant[] {
  return [...matchMutants(subject), ...variableMutants(subject), ...validationMutants(subject)]
}
