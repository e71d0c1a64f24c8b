import { expect, test } from 'vitest'
import { z } from 'zod'
import { NotStructuralError, structuralSchema } from './structural-schema.ts'

const field = (schema: z.ZodType) => structuralSchema(schema, 'spec.field')
const text = () => z.string().max(9)
const rule = (name: string) => ({ rule: name, message: name, reason: 'FieldValueInvalid' }) as const

test('a string', () => {
  expect(
    field(
      z
        .string()
        .min(1)
        .max(9)
        .regex(/^[/a-z]+$/)
        .describe('A text.'),
    ),
  ).toEqual({
    type: 'string',
    description: 'A text.',
    minLength: 1,
    maxLength: 9,
    pattern: '^[/a-z]+$',
  })
})

test('a string whose pattern bounds it needs no other bound', () => {
  expect(field(z.string().regex(/^[1-5](xx|[0-9]{2})$/))).toEqual({ type: 'string', pattern: '^[1-5](xx|[0-9]{2})$' })
})

test('a timestamp', () => {
  expect(field(z.iso.datetime())).toEqual({ type: 'string', format: 'date-time' })
})

test('integers, with the format that their range needs', () => {
  expect(field(z.int().min(1).max(65_535))).toEqual({ type: 'integer', format: 'int32', minimum: 1, maximum: 65_535 })
  expect(field(z.int().min(0))).toEqual({ type: 'integer', format: 'int64', minimum: 0 })
})

test('a boolean', () => {
  expect(field(z.boolean().default(false))).toEqual({ type: 'boolean', default: false })
})

test('enumerations', () => {
  expect(field(z.enum(['GET', 'POST']))).toEqual({ type: 'string', enum: ['GET', 'POST'] })
  expect(field(z.literal(1))).toEqual({ type: 'integer', enum: [1] })
})

test('the union of integer and string binds the bounds of both', () => {
  expect(field(z.union([z.int().min(1).max(9), z.string().regex(/^[1-9]%$/)]).default(5))).toEqual({
    'x-kubernetes-int-or-string': true,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    minimum: 1,
    maximum: 9,
    pattern: '^[1-9]%$',
    default: 5,
  })
})

test('a list is atomic unless it says otherwise', () => {
  const conditions = z.array(z.object({ type: text().describe('Type.') })).max(2)
  const map = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }
  expect(field(conditions)).toMatchObject({ type: 'array', maxItems: 2, 'x-kubernetes-list-type': 'atomic' })
  expect(field(conditions.meta(map))).toMatchObject(map)
})

test('the key schema of a record becomes rules, beside those that it has already', () => {
  const record = z
    .record(
      z
        .string()
        .max(9)
        .regex(/^[a-z"]*$/),
      text(),
    )
    .meta({
      maxProperties: 2,
      'x-kubernetes-validations': [rule('own')],
    })
  const { 'x-kubernetes-validations': rules, ...rest } = field(record)
  expect(rest).toEqual({ type: 'object', maxProperties: 2, additionalProperties: { type: 'string', maxLength: 9 } })
  expect(rules?.map((one) => one.rule)).toEqual([
    'self.all(key, size(key) <= 9)',
    String.raw`self.all(key, key.matches("^[a-z\"]*$"))`,
    'own',
  ])
})

test('fields with a default and optional ones are not required', () => {
  const object = z.object({
    needed: text().describe('Needed.'),
    defaulted: text().default('a').describe('Defaulted.'),
    optional: text().describe('Optional.').optional(),
    exact: text().exactOptional().describe('Exact.'),
  })
  expect(field(object)).toEqual({
    type: 'object',
    required: ['needed'],
    properties: {
      needed: { type: 'string', maxLength: 9, description: 'Needed.' },
      defaulted: { type: 'string', maxLength: 9, description: 'Defaulted.', default: 'a' },
      optional: { type: 'string', maxLength: 9, description: 'Optional.' },
      exact: { type: 'string', maxLength: 9, description: 'Exact.' },
    },
  })
})

test('rules of a schema and of what wraps it add up', () => {
  const inner = text().meta({ 'x-kubernetes-validations': [rule('inner')] })
  const outer = inner.optional().meta({ 'x-kubernetes-validations': [rule('outer')] })
  expect(field(outer)['x-kubernetes-validations']).toEqual([rule('inner'), rule('outer')])
  expect(field(inner.describe('Text.'))['x-kubernetes-validations']).toEqual([rule('inner')])
})

const refused: Record<string, readonly [z.ZodType, string]> = {
  'refine on a string': [text().refine((value) => value !== ''), 'check custom'],
  'refine on a number': [z.int().refine((value) => value !== 1), 'check custom'],
  'refine on a list': [
    z
      .array(text())
      .max(2)
      .refine((list) => list.length !== 1),
    'check custom',
  ],
  'refine on an object': [z.object({}).refine(() => true), 'check custom'],
  'refine on a record': [
    z
      .record(z.string().max(1).regex(/^a$/), text())
      .meta({ maxProperties: 1 })
      .refine(() => true),
    'check custom',
  ],
  'refine on a union': [z.union([z.int(), text()]).refine(() => true), 'check custom'],
  'refine on an optional': [
    text()
      .optional()
      .refine(() => true),
    'check custom',
  ],
  'refine on a default': [
    text()
      .default('a')
      .refine(() => true),
    'check custom',
  ],
  superRefine: [text().superRefine(() => {}), 'check custom'],
  transform: [text().transform((value) => value.length), 'pipe'],
  preprocess: [z.preprocess(String, text()), 'pipe'],
  pipe: [text().pipe(z.string().min(1)), 'pipe'],
  codec: [z.codec(text(), z.int(), { decode: Number, encode: String }), 'pipe'],
  'trim, which changes what is stored': [text().trim(), 'overwrite'],
  toLowerCase: [text().toLowerCase(), 'overwrite'],
  'coerce to string': [z.coerce.string().max(9), 'coerce'],
  'coerce to number': [z.coerce.number(), 'coerce'],
  catch: [text().catch('a'), 'catch'],
  prefault: [text().prefault('a'), 'prefault'],
  nullable: [text().nullable(), 'nullable'],
  readonly: [text().readonly(), 'readonly'],
  lazy: [z.lazy(text), 'lazy'],
  'coerce to boolean': [z.coerce.boolean(), 'coerce'],
  'refine on a boolean': [z.boolean().refine(() => true), 'check custom'],
  any: [z.any(), 'any'],
  unknown: [z.unknown(), 'unknown'],
  bigint: [z.bigint(), 'bigint'],
  date: [z.date(), 'date'],
  tuple: [z.tuple([text()]), 'tuple'],
  intersection: [z.intersection(z.object({}), z.object({})), 'intersection'],
  'template literal': [z.templateLiteral(['a', z.int()]), 'template_literal'],
  'union of objects': [z.union([z.object({}), z.object({})]), 'union of z.int() and z.string()'],
  'union of three': [z.union([z.int(), text(), z.int().min(1)]), 'union of z.int() and z.string()'],
  'union with an enumeration': [z.union([z.int(), z.enum(['a'])]), 'union of z.int() and z.string()'],
  'discriminated union': [
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('a').describe('A.') }),
      z.object({ type: z.literal('b').describe('B.') }),
    ]),
    'union of z.int() and z.string()',
  ],
  'strict object': [z.strictObject({}), 'strict or loose'],
  'loose object': [z.looseObject({}), 'strict or loose'],
  email: [z.email(), 'format email'],
  'email as a check': [z.string().max(9).check(z.email()), 'check email'],
  hostname: [z.hostname(), 'format hostname'],
  'local time': [z.iso.datetime({ local: true }), 'format datetime'],
  'iso date': [z.iso.date(), 'format date'],
  startsWith: [text().startsWith('a'), 'check starts_with'],
  includes: [text().includes('a'), 'check includes'],
  'length of a string': [z.string().length(3), 'check length_equals'],
  'pattern with a flag': [text().regex(/^a$/i), 'flags (i)'],
  'pattern with lookahead': [text().regex(/^(?!a)b$/), 'lookaround'],
  'two patterns': [text().regex(/^a/).regex(/b$/), 'pattern is said twice'],
  'two bounds': [z.string().max(9).max(5), 'maxLength is said twice'],
  'string without bound': [z.string(), 'needs max()'],
  'string with an endless pattern': [z.string().regex(/^a*$/), 'needs max()'],
  'list without bound': [z.array(text()), 'needs max()'],
  'record without bound': [z.record(z.string().max(1).regex(/^a$/), text()), 'needs meta({ maxProperties })'],
  'record whose keys have no grammar': [z.record(text(), text()).meta({ maxProperties: 1 }), 'keys of a record'],
  'record whose keys are an enumeration': [
    z.record(z.enum(['a']), text()).meta({ maxProperties: 1 }),
    'keys of a record',
  ],
  'loose record': [
    z.looseRecord(z.string().max(1).regex(/^a$/), text()).meta({ maxProperties: 1 }),
    'keys of a record',
  ],
  number: [z.number(), 'z.int()'],
  'open bound': [z.int().gt(1), 'check greater_than'],
  multipleOf: [z.int().multipleOf(2), 'check multiple_of'],
  'mixed enumeration': [z.literal(['a', 1]), 'strings or integers'],
  'unknown meta': [text().meta({ deprecated: true }), 'meta() knows no deprecated'],
}

test.each(Object.entries(refused))('refused: %s', (_, [schema, reason]) => {
  const convert = () => field(schema)
  expect(convert).toThrow(NotStructuralError)
  expect(convert).toThrow(reason)
})

test('a field without description is refused, with its path', () => {
  const schema = z.object({
    list: z
      .array(z.object({ name: text() }))
      .max(2)
      .describe('List.'),
  })
  expect(() => structuralSchema(schema, 'spec')).toThrow('spec.list[].name: a field needs describe()')
})
