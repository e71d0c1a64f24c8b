import { maxNamedHosts, targetPolicy, type AdmissionPolicy } from '../admission-policy.ts'

type Spec = AdmissionPolicy['spec']

/** The policy with exactly one of its parts left out or bent. */
export type PolicyMutant = {
  readonly title: string
  /** As `AdmissionPolicy.spec`, but for what is left out. */
  readonly spec: Readonly<Record<keyof Spec, unknown>>
  /** The one of the first hosts whose validation it is. */
  readonly slot?: number
}

const { spec } = targetPolicy
const { variables, validations, matchConditions, matchConstraints } = spec

/** Parts of expressions and what stands in their place. */
const bent: Readonly<Record<string, readonly (readonly [part: string, instead: string])[]>> = {
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

function bend(expression: string, [part, instead]: readonly [string, string]): string {
  if (!expression.includes(part)) throw new Error(`${part} is no part of ${expression}`)
  return expression.replace(part, () => instead)
}

function* variableMutants(): Generator<PolicyMutant> {
  for (const [name, changes] of Object.entries(bent)) {
    const index = variables.findIndex((variable) => variable.name === name)
    for (const change of changes) {
      const expression = bend(variables[index]?.expression ?? '', change)
      const title = `${name}: ${change[0]} → ${change[1]}`
      yield { title, spec: { ...spec, variables: variables.with(index, { name, expression }) } }
    }
  }
}

function* validationMutants(): Generator<PolicyMutant> {
  const firstSlot = validations.length - maxNamedHosts
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
        spec: { ...spec, validations: changed },
        ...(index >= firstSlot && { slot: index - firstSlot }),
      }
    }
  }
}

function* matchMutants(): Generator<PolicyMutant> {
  yield { title: 'every update is matched', spec: { ...spec, matchConditions: [] } }
  for (const expression of [
    'oldObject == null',
    'object.metadata.generation != oldObject.metadata.generation',
    // What comes to mind first: it takes 10.0 for 10, which the API server does not.
    'oldObject == null || object.spec != oldObject.spec',
  ]) {
    const changed = matchConditions.map((condition) => ({ ...condition, expression }))
    yield { title: `matched where ${expression}`, spec: { ...spec, matchConditions: changed } }
  }
  for (const operation of ['CREATE', 'UPDATE'] as const) {
    const resourceRules = matchConstraints.resourceRules.map((rule) => ({ ...rule, operations: [operation] }))
    yield {
      title: `only ${operation} is matched`,
      spec: { ...spec, matchConstraints: { ...matchConstraints, resourceRules } },
    }
  }
  const [allHosts, atMost, ...hosts] = validations
  for (const limit of [maxNamedHosts - 1, maxNamedHosts + 1]) {
    const expression = bend(atMost?.expression ?? '', [String(maxNamedHosts), String(limit)])
    yield {
      title: `at most ${limit} hosts`,
      spec: { ...spec, validations: [allHosts, { ...atMost, expression }, ...hosts] },
    }
  }
}

export const policyMutants: readonly PolicyMutant[] = [...matchMutants(), ...variableMutants(), ...validationMutants()]
