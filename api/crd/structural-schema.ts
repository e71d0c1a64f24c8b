import { z } from 'zod'
import { boundsLength, re2Source } from './re2.ts'
import { celString, type ValidationRule } from './validation-rule.ts'

/** The subset of OpenAPI v3 that a CRD may hold and that we use. */
export type StructuralSchema = {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  readonly description?: string
  readonly format?: 'date-time' | 'int32' | 'int64'
  readonly default?: unknown
  readonly enum?: readonly (string | number)[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly maxProperties?: number
  readonly properties?: Readonly<Record<string, StructuralSchema>>
  readonly required?: readonly string[]
  readonly items?: StructuralSchema
  readonly additionalProperties?: StructuralSchema
  readonly anyOf?: readonly StructuralSchema[]
  readonly 'x-kubernetes-int-or-string'?: true
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[]
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'map'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
}

/** A zod schema says something that the API server would not be told. */
export class NotStructuralError extends Error {
  override readonly name = 'NotStructuralError'
  readonly code = 'NotStructural'
  /** Where in the schema, as `spec.http.port`. */
  readonly path: string

  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`${path}: ${reason}`, options)
    this.path = path
  }
}

/** What `.meta()` may add; the rest of a schema comes from zod itself. */
const metaKeys: readonly string[] = [
  'description',
  'maxProperties',
  'x-kubernetes-validations',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
] satisfies readonly (keyof StructuralSchema)[]

type Definition = z.core.$ZodTypes['_zod']['def']
type DefinitionOf<Type extends Definition['type']> = Extract<Definition, { type: Type }>
type Check = z.core.$ZodChecks['_zod']['def']

/**
 * Turns a zod schema into a structural schema, which is all that a CRD may hold:
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 *
 * Only what is listed here is understood. `z.toJSONSchema` drops what JSON Schema cannot say (refinements, transforms, regex
 * flags, key schemas of records), and the API server would then store what zod refuses; here each of these is an error, and
 * so are a field without description and a string, list or map without bound.
 *
 * @throws NotStructuralError
 */
export function structuralSchema(schema: z.core.$ZodType, path: string): StructuralSchema {
  const definition = (schema as z.ZodType).def as Definition
  const { type, ...converted } = convert(definition, path)
  const meta = metadata(schema, path)
  const validations = [...(converted['x-kubernetes-validations'] ?? []), ...(meta['x-kubernetes-validations'] ?? [])]
  const merged = {
    ...(type && { type }),
    ...meta, // here for the order of the keys,
    ...converted,
    ...meta, // and here to win
    ...(validations.length > 0 && { 'x-kubernetes-validations': validations }),
  }
  if (merged.additionalProperties && merged.maxProperties === undefined) {
    throw new NotStructuralError(path, 'a record needs meta({ maxProperties })')
  }
  return merged
}

function convert(definition: Definition, path: string): StructuralSchema {
  if (definition.type === 'string') return text(definition, path)
  if (definition.type === 'number') return integer(definition, path)
  if (definition.type === 'boolean') return boolean(definition, path)
  if (definition.type === 'array') return list(definition, path)
  // Zod hangs checks on any schema; beyond these four none has a structural form.
  keywords(definition, path, () => undefined)
  if (definition.type === 'optional') return structuralSchema(definition.innerType, path)
  if (definition.type === 'default') {
    return { ...structuralSchema(definition.innerType, path), default: definition.defaultValue }
  }
  if (definition.type === 'literal') return enumeration(definition.values, path)
  if (definition.type === 'enum') return enumeration(Object.values(definition.entries), path)
  if (definition.type === 'union') return intOrString(definition, path)
  if (definition.type === 'record') return map(definition, path)
  if (definition.type === 'object') return object(definition, path)
  throw new NotStructuralError(path, `zod's ${definition.type} has no structural form`)
}

function text(definition: DefinitionOf<'string'>, path: string): StructuralSchema {
  refuseCoercion(definition, path)
  const bounds = keywords(definition, path, (check) => {
    if (check.check === 'max_length') return { maxLength: check.maximum }
    if (check.check === 'min_length') return { minLength: check.minimum }
    if (check.check !== 'string_format' || check.format !== 'regex' || !check.pattern) return undefined
    return { pattern: pattern(check.pattern, path) }
  })
  if ('format' in definition) {
    if (definition.format !== 'datetime' || (definition as z.core.$ZodISODateTimeDef).local) {
      throw new NotStructuralError(
        path,
        `the API server does not check the format ${String(definition.format)} as zod does`,
      )
    }
    return { type: 'string', format: 'date-time', ...bounds }
  }
  if (bounds.maxLength === undefined && !(bounds.pattern && boundsLength(bounds.pattern))) {
    throw new NotStructuralError(path, 'a string needs max()')
  }
  return { type: 'string', ...bounds }
}

function pattern(expression: RegExp, path: string): string {
  try {
    return re2Source(expression)
  } catch (cause) {
    throw new NotStructuralError(path, (cause as TypeError).message, { cause })
  }
}

function integer(definition: DefinitionOf<'number'>, path: string): StructuralSchema {
  refuseCoercion(definition, path)
  if (!('format' in definition) || definition.format !== 'safeint') {
    throw new NotStructuralError(path, 'numbers are z.int(): fractions do not survive every client')
  }
  const bounds = keywords(definition, path, (check) => {
    if (check.check === 'greater_than' && check.inclusive) return { minimum: Number(check.value) }
    if (check.check === 'less_than' && check.inclusive) return { maximum: Number(check.value) }
    return undefined
  })
  return { type: 'integer', format: (bounds.maximum ?? Infinity) < 2 ** 31 ? 'int32' : 'int64', ...bounds }
}

function boolean(definition: DefinitionOf<'boolean'>, path: string): StructuralSchema {
  refuseCoercion(definition, path)
  keywords(definition, path, () => undefined)
  return { type: 'boolean' }
}

function enumeration(values: readonly unknown[], path: string): StructuralSchema {
  if (values.every((value) => typeof value === 'string')) return { type: 'string', enum: values }
  if (values.every((value) => Number.isSafeInteger(value))) return { type: 'integer', enum: values as number[] }
  throw new NotStructuralError(path, 'an enumeration holds strings or integers')
}

/** The one union that a structural schema knows. Keywords bind by type, so both branches' bounds stand beside each other. */
function intOrString({ options }: DefinitionOf<'union'>, path: string): StructuralSchema {
  const branches = options.map((option) => structuralSchema(option, path))
  const integerBranch = branches.find(({ type, enum: values }) => type === 'integer' && !values)
  const stringBranch = branches.find(({ type, enum: values }) => type === 'string' && !values)
  if (branches.length !== 2 || !integerBranch || !stringBranch) {
    throw new NotStructuralError(path, 'only the union of z.int() and z.string() is structural')
  }
  const { type: _integer, format: _format, ...integerBounds } = integerBranch
  const { type: _string, ...stringBounds } = stringBranch
  return {
    ...integerBounds,
    ...stringBounds,
    'x-kubernetes-int-or-string': true,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
  }
}

function list(definition: DefinitionOf<'array'>, path: string): StructuralSchema {
  const bounds = keywords(definition, path, (check) => {
    if (check.check === 'max_length') return { maxItems: check.maximum }
    if (check.check === 'min_length') return { minItems: check.minimum }
    return undefined
  })
  if (bounds.maxItems === undefined) throw new NotStructuralError(path, 'a list needs max()')
  const items = structuralSchema(definition.element, `${path}[]`)
  return { type: 'array', 'x-kubernetes-list-type': 'atomic', ...bounds, items }
}

/** The key schema of a record has no place in a structural schema, so it becomes CEL rules. */
function map({ keyType, valueType, mode }: DefinitionOf<'record'>, path: string): StructuralSchema {
  const { maxLength, pattern: keyPattern, ...rest } = structuralSchema(keyType, `${path}{key}`)
  if (mode === 'loose' || maxLength === undefined || keyPattern === undefined || Object.keys(rest).join() !== 'type') {
    throw new NotStructuralError(path, 'keys of a record are z.string() with max() and regex() and nothing else')
  }
  return {
    type: 'object',
    additionalProperties: structuralSchema(valueType, `${path}{}`),
    'x-kubernetes-validations': [
      {
        rule: `self.all(key, size(key) <= ${maxLength})`,
        reason: 'FieldValueInvalid',
        message: `keys have at most ${maxLength} characters`,
      },
      {
        rule: `self.all(key, key.matches(${celString(keyPattern)}))`,
        reason: 'FieldValueInvalid',
        message: `keys must match ${keyPattern}`,
      },
    ],
  }
}

function object({ shape, catchall }: DefinitionOf<'object'>, path: string): StructuralSchema {
  if (catchall) throw new NotStructuralError(path, 'a CRD has no strict or loose objects: unknown fields are pruned')
  const properties: Record<string, StructuralSchema> = {}
  const required: string[] = []
  for (const [name, field] of Object.entries(shape)) {
    const at = path === '' ? name : `${path}.${name}`
    const property = structuralSchema(field, at)
    if (!property.description) throw new NotStructuralError(at, 'a field needs describe()')
    properties[name] = property
    const { _zod } = field
    if (_zod.optin === undefined) required.push(name)
  }
  return { type: 'object', properties, ...(required.length > 0 && { required }) }
}

/** What the checks of a schema are as keywords; each must have a structural form, and none may come twice. */
function keywords(
  { checks = [] }: { checks?: readonly z.core.$ZodCheck[] },
  path: string,
  say: (check: Check) => StructuralSchema | undefined,
): StructuralSchema {
  let said: StructuralSchema = {}
  for (const { _zod } of checks as readonly z.core.$ZodChecks[]) {
    const more = say(_zod.def)
    const name = _zod.def.check === 'string_format' ? _zod.def.format : _zod.def.check
    if (!more) throw new NotStructuralError(path, `the check ${name} has no structural form; say it as a CEL rule`)
    const [keyword] = Object.keys(more)
    if (keyword !== undefined && keyword in said) throw new NotStructuralError(path, `${keyword} is said twice`)
    said = { ...said, ...more }
  }
  return said
}

function metadata(schema: z.core.$ZodType, path: string): StructuralSchema {
  const meta = z.globalRegistry.get(schema) ?? {}
  const unknown = Object.keys(meta).find((key) => !metaKeys.includes(key))
  if (unknown !== undefined) throw new NotStructuralError(path, `meta() knows no ${unknown}`)
  return meta as StructuralSchema
}

function refuseCoercion({ coerce }: { coerce?: boolean }, path: string): void {
  if (coerce) throw new NotStructuralError(path, 'the API server does not coerce')
}
