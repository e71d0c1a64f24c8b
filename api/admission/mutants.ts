import type { StructuralSchema } from '../crd/structural-schema.ts'

/**
 * A schema with exactly one of its rules deleted. A bound is loosened by one instead: what the API server then takes it would take
 * without the bound too, and it estimates the cost of CEL rules from bounds, so it refuses a schema without some of them.
 */
export type Mutant = {
  /** The rule that is gone: `maxLength`, `required`, or the message of a CEL rule. */
  readonly rule: string
  /** The field that the rule guards, without indexes: `spec.http.parameters[].value`. */
  readonly field: string
  readonly schema: StructuralSchema
}

const bounds: Readonly<Record<string, 1 | -1>> = {
  minimum: -1,
  minLength: -1,
  minItems: -1,
  maximum: 1,
  maxLength: 1,
  maxItems: 1,
  maxProperties: 1,
} satisfies { [Keyword in keyof StructuralSchema]?: 1 | -1 }

/** Keywords that refuse nothing, or that hold the rules of other fields. */
const others: readonly string[] = [
  'type',
  'description',
  'format',
  'default',
  'anyOf',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
] satisfies readonly (keyof StructuralSchema)[]

/** @throws TypeError for a keyword that is not known here: it may be a rule */
export function* mutants(schema: StructuralSchema, field: string): Generator<Mutant> {
  const {
    required = [],
    'x-kubernetes-validations': validations = [],
    properties = {},
    items,
    additionalProperties,
    ...rest
  } = schema
  for (const [keyword, value] of Object.entries(rest)) {
    if (others.includes(keyword)) continue
    const step = bounds[keyword]
    const deletable = keyword === 'enum' || keyword === 'pattern'
    if (!deletable && (step === undefined || typeof value !== 'number')) {
      throw new TypeError(`${field}: is ${keyword} a rule?`)
    }
    yield {
      rule: keyword,
      field,
      schema: { ...schema, [keyword]: deletable ? undefined : Number(value) + Number(step) },
    }
  }
  for (const name of required) {
    const fewer = required.filter((other) => other !== name)
    yield { rule: 'required', field: join(field, name), schema: { ...schema, required: fewer } }
  }
  for (const validation of validations) {
    const fewer = validations.filter((other) => other !== validation)
    const { fieldPath = '', message } = validation
    yield { rule: message, field: field + fieldPath, schema: { ...schema, 'x-kubernetes-validations': fewer } }
  }
  for (const [name, property] of Object.entries(properties)) {
    for (const mutant of mutants(property, join(field, name))) {
      yield { ...mutant, schema: { ...schema, properties: { ...properties, [name]: mutant.schema } } }
    }
  }
  for (const [keyword, suffix, inner] of [
    ['items', '[]', items],
    ['additionalProperties', '{}', additionalProperties],
  ] as const) {
    if (!inner) continue
    for (const mutant of mutants(inner, field + suffix)) {
      yield { ...mutant, schema: { ...schema, [keyword]: mutant.schema } }
    }
  }
}

function join(field: string, name: string): string {
  return field === '' ? name : `${field}.${name}`
}
