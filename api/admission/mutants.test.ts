import { expect, test } from 'vitest'
import { mutants } from './mutants.ts'

const rule = (message: string) => ({ rule: 'true', message, reason: 'FieldValueInvalid' }) as const

const schema = {
  type: 'object',
  required: ['name', 'ports'],
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 63, 'x-kubernetes-validations': [rule('first'), rule('second')] },
    ports: { type: 'array', maxItems: 4, items: { type: 'integer', minimum: 1, maximum: 9 } },
    labels: {
      type: 'object',
      maxProperties: 2,
      additionalProperties: { type: 'string', enum: ['a'] },
      'x-kubernetes-validations': [{ ...rule('third'), fieldPath: '.zone' }],
    },
  },
} as const

test('each rule is deleted in a mutant of its own', () => {
  expect([...mutants(schema, '')].map((mutant) => `${mutant.field} ${mutant.rule}`)).toEqual([
    'name required',
    'ports required',
    'name minLength',
    'name maxLength',
    'name first',
    'name second',
    'ports maxItems',
    'ports[] minimum',
    'ports[] maximum',
    'labels maxProperties',
    'labels.zone third',
    'labels{} enum',
  ])
})

test('a mutant lacks its rule and nothing else', () => {
  const [, ports, shortest, , first] = mutants(schema, '')
  expect(ports?.schema).toEqual({ ...schema, required: ['name'] })
  const { name } = schema.properties
  expect(shortest?.schema.properties?.['name']).toEqual({ ...name, minLength: 0 })
  expect(first?.schema).toEqual({
    ...schema,
    properties: {
      ...schema.properties,
      name: { ...schema.properties.name, 'x-kubernetes-validations': [rule('second')] },
    },
  })
})

test('a keyword that may be a rule is not passed over', () => {
  expect(() => [...mutants({ type: 'integer', multipleOf: 2 } as object, 'spec.port')]).toThrow(
    'spec.port: is multipleOf a rule?',
  )
})
