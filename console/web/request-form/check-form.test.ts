import { refuseSpec } from '@keelson/api'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkForm, type ProblemCode } from './check-form.ts'
import { emptyForm, emptyParameter, type FormField, type RequestForm } from './request-form.ts'
import { specOf } from './spec-of-form.ts'

const good: RequestForm = {
  ...emptyForm,
  name: 'forwarding',
  names: ['worker-1'],
  api: '/v1/sysctl',
  method: 'POST',
  parameters: [{ ...emptyParameter, key: 'net.ipv4.ip_forward', value: '1' }],
}

function found(change: Partial<RequestForm>): [FormField, ProblemCode][] {
  return checkForm({ ...good, ...change }).map(({ field, code }) => [field, code])
}

function withValue(value: string, check: RequestForm['check'] = 'Text'): Partial<RequestForm> {
  return { check, parameters: [{ ...emptyParameter, key: 'a', value }] }
}

describe('what is wrong with a form', () => {
  test('is nothing where the API server finds nothing', () => {
    expect(found({})).toEqual([])
  })

  test.each<[FormField, ProblemCode, Partial<RequestForm>]>([
    ['namespace', 'NamespaceRefused', { namespace: 'Upper' }],
    ['name', 'NameRefused', { name: '' }],
    ['name', 'NameRefused', { name: '-a' }],
    ['hosts', 'HostsMissing', { names: [] }],
    ['hosts', 'HostsTooMany', { names: Array.from({ length: 1025 }, (_, index) => `host-${index}`) }],
    ['hosts', 'HostNameRefused', { names: ['worker-1', 'Worker_2'] }],
    ['selector', 'SelectorMissing', { who: 'Labels' }],
    ['selector', 'SelectorRefused', { who: 'Labels', selector: 'zone in' }],
    ['port', 'PortRange', { port: '' }],
    ['port', 'PortRange', { port: '70000' }],
    ['port', 'PortRange', { port: '8e1' }],
    ['port', 'PortRefused', { port: '22' }],
    ['api', 'PathRefused', { api: '' }],
    ['api', 'PathRefused', { api: '/a?b' }],
    ['api', 'PathAmbiguous', { api: '/a/../b' }],
    ['scheme', 'SchemeRefused', { scheme: 'http' }],
    ['check', 'CheckRefused', { check: 'Typed', port: '80' }],
    ['successCodes', 'SuccessCodesRefused', { successCodes: '2xx 600' }],
    ['timeoutSeconds', 'NumberRange', { timeoutSeconds: '0' }],
    ['activeDeadlineSeconds', 'NumberRange', { activeDeadlineSeconds: '1.5' }],
    ['ttlSecondsAfterFinished', 'NumberRange', { ttlSecondsAfterFinished: 'a day' }],
    ['retryLimit', 'NumberRange', { retryLimit: '11' }],
    ['parallelism', 'AmountRange', { parallelism: '0' }],
    ['parallelism', 'AmountRange', { parallelism: '101%' }],
    ['maxFailures', 'AmountRange', { maxFailures: '-1' }],
    ['waves', 'WavesRefused', { waves: '1, five' }],
    ['parameters.0.value', 'TextRefused', withValue('a;b')],
    ['parameters.0.value', 'TextRefused', withValue('-a')],
    ['parameters.0.value', 'ControlCharacterRefused', withValue('a\tb', 'Typed')],
    ['parameters.0.value', 'ControlCharacterRefused', withValue('a\tb;')],
    ['parameters.0.value', 'ValueTooLong', withValue('a'.repeat(1025))],
    ['parameters.0.key', 'KeyRequired', { parameters: [emptyParameter] }],
    ['parameters.0.key', 'KeyRefused', { parameters: [{ ...emptyParameter, key: '-a' }] }],
    ['parameters.0.key', 'KeyTooLong', { parameters: [{ ...emptyParameter, key: 'a'.repeat(254) }] }],
    ['parameters.0.secret', 'SecretRefused', { parameters: [{ ...emptyParameter, key: 'a', source: 'Secret' }] }],
    ['parameters.0.value', 'ValueRequired', { method: 'GET', parameters: [{ ...emptyParameter, key: 'key' }] }],
    ['parameters', 'ValueRequired', { api: '/v1/hostname', parameters: [] }],
    [
      'parameters',
      'NothingToDo',
      { api: '/v1/systemdUnit', parameters: [{ ...emptyParameter, key: 'name', value: 'a' }] },
    ],
  ])('%s: %s', (field, code, change) => {
    expect(found(change)).toEqual([[field, code]])
  })

  test('is said of every field at once, where the API server would stop at the first kind', () => {
    const rows = [
      { ...emptyParameter, key: 'a', value: '$(x)' },
      { ...emptyParameter, key: 'a', value: 'b' },
    ]
    expect(found({ port: 'x', api: '/a//b', waves: '0', parameters: rows })).toEqual([
      ['port', 'PortRange'],
      ['waves', 'WavesRefused'],
      ['api', 'PathAmbiguous'],
      ['parameters.0.value', 'TextRefused'],
      ['parameters.1.key', 'KeyRepeated'],
    ])
  })

  test('names the character and never the value', () => {
    const [problem] = checkForm({ ...good, ...withValue('hidden;') })
    expect(problem).toEqual({ field: 'parameters.0.value', code: 'TextRefused', values: { character: 'U+003B (;)' } })
  })

  test('is something whenever the API server refuses, and nothing whenever it does not', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 3 }),
      fc.constantFrom('', '7117', '80', '22', '5%', '1', '/a', '/a/./b', '2xx'),
    )
    const row = fc.record({
      key: text,
      source: fc.constantFrom('Value' as const, 'Secret' as const),
      value: text,
      secretName: text,
      secretKey: text,
    })
    const change = fc.record({
      port: text,
      api: fc.oneof(fc.constant('/a'), text),
      parameters: fc.array(row, { maxLength: 3 }),
      check: fc.constantFrom('Text' as const, 'Typed' as const),
      scheme: fc.constantFrom('' as const, 'http' as const, 'https' as const),
      successCodes: text,
      timeoutSeconds: text,
      parallelism: text,
      waves: text,
      maxFailures: text,
    })
    fc.assert(
      fc.property(change, (changed) => {
        const form = { ...good, ...changed }
        expect(checkForm(form).length > 0).toBe(refuseSpec(specOf(form)).length > 0)
      }),
      { numRuns: 2_000 },
    )
  })
})
