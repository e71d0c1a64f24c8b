import { maxMatchLabels } from '../label-selector.ts'
import {
  accepted,
  limit,
  refused,
  repeat,
  withSelector,
  withSpec,
  withExpression,
  without,
  worker,
  type AdmissionCase,
} from './case.ts'

function workers(): AdmissionCase[] {
  const named = (...names: readonly string[]) => withSpec({ workers: names.map((name) => ({ name })) })
  const wrong = [
    '',
    'Node1',
    'node_1',
    'node1.',
    '.node1',
    '-node1',
    'node1-',
    'a..b',
    'node 1',
    'node1/x',
    'node1\n',
    '中',
  ]
  return [
    accepted('every host, said explicitly', named()),
    accepted('two hosts', named('node1', 'node2.example.com')),
    accepted('a host named twice', named('node1', 'node1')),
    accepted('short and numeric names', named('a', '0', '10.0.0.1', 'a-b')),
    refused('workers missing', without(withSpec({}), 'workers'), {
      field: 'spec.workers',
      reason: 'FieldValueRequired',
    }),
    refused('a worker without name', withSpec({ workers: [worker, {}] }), {
      field: 'spec.workers[1].name',
      reason: 'FieldValueRequired',
    }),
    refused('workers not a list', withSpec({ workers: 'node1' }), {
      field: 'spec.workers',
      reason: 'FieldValueTypeInvalid',
    }),
    ...limit('workers', 1024, (size) => named(...repeat(size, (index) => `node${index}`)), {
      field: 'spec.workers',
      reason: 'FieldValueTooMany',
    }),
    ...limit('length of a name', 253, (size) => named('a'.repeat(size)), {
      field: 'spec.workers[0].name',
      reason: 'FieldValueTooLong',
    }),
    ...wrong.map((name) =>
      refused(`worker ${JSON.stringify(name)}`, named('node1', name), {
        field: 'spec.workers[1].name',
        reason: 'FieldValueInvalid',
      }),
    ),
  ]
}

function selectors(): AdmissionCase[] {
  const field = 'spec.hostSelector'
  const labels = (...pairs: readonly (readonly [string, string])[]) =>
    withSelector({ matchLabels: Object.fromEntries(pairs) })
  const prefixed = (size: number) => `${'a'.repeat(size - 64)}/${'b'.repeat(63)}`
  const wrongKeys = ['', 'a b', '-a', 'a-', '/a', 'a/', 'a/b/c', 'A.com/a', `a/${'b'.repeat(64)}`, 'a\n']
  const wrongValues = ['a b', '-a', 'a-', 'a/b', 'a\n', '中']
  return [
    accepted('an empty selector', withSelector({})),
    accepted('labels', labels(['zone', 'a'], ['example.com/Rack_1', ''])),
    ...(['In', 'NotIn'] as const).map((operator) => accepted(`${operator} with values`, withExpression({ operator }))),
    ...(['Exists', 'DoesNotExist'] as const).flatMap((operator) => [
      accepted(`${operator} without values`, withExpression({ operator, values: undefined })),
      accepted(`${operator} with an empty list of values`, withExpression({ operator, values: [] })),
      refused(`${operator} with values`, withExpression({ operator }), {
        field: `${field}.matchExpressions[0].values`,
        reason: 'FieldValueForbidden',
      }),
    ]),
    ...(['In', 'NotIn'] as const).flatMap((operator) =>
      [undefined, []].map((values) =>
        refused(`${operator} with values ${JSON.stringify(values)}`, withExpression({ operator, values }), {
          field: `${field}.matchExpressions[0].values`,
          reason: 'FieldValueRequired',
        }),
      ),
    ),
    ...['Gt', 'in', ''].map((operator) =>
      refused(`operator ${JSON.stringify(operator)}`, withExpression({ operator }), {
        field: `${field}.matchExpressions[0].operator`,
        reason: 'FieldValueNotSupported',
      }),
    ),
    ...['key', 'operator'].map((name) =>
      refused(`${name} of an expression missing`, withExpression({ [name]: undefined }), {
        field: `${field}.matchExpressions[0].${name}`,
        reason: 'FieldValueRequired',
      }),
    ),
    ...limit('labels', maxMatchLabels, (size) => labels(...repeat(size, (index) => [`l${index}`, 'a'] as const)), {
      field: `${field}.matchLabels`,
      reason: 'FieldValueTooMany',
    }),
    ...limit('length of a label', 317, (size) => labels([prefixed(size), 'a']), {
      field: `${field}.matchLabels`,
      reason: 'FieldValueInvalid',
      says: ['317'],
    }),
    ...wrongKeys.map((key) =>
      refused(`label ${JSON.stringify(key)}`, labels([key, 'a']), {
        field: `${field}.matchLabels`,
        reason: 'FieldValueInvalid',
        says: ['must match'],
      }),
    ),
    ...limit('length of a label value', 63, (size) => labels(['zone', 'a'.repeat(size)]), {
      field: `${field}.matchLabels.zone`,
      reason: 'FieldValueTooLong',
    }),
    ...wrongValues.map((value) =>
      refused(`label value ${JSON.stringify(value)}`, labels(['zone', value]), {
        field: `${field}.matchLabels.zone`,
        reason: 'FieldValueInvalid',
      }),
    ),
    ...limit(
      'expressions',
      32,
      (size) => withSelector({ matchExpressions: repeat(size, (index) => ({ key: `l${index}`, operator: 'Exists' })) }),
      { field: `${field}.matchExpressions`, reason: 'FieldValueTooMany' },
    ),
    ...limit('length of the label in an expression', 317, (size) => withExpression({ key: prefixed(size) }), {
      field: `${field}.matchExpressions[0].key`,
      reason: 'FieldValueTooLong',
    }),
    ...wrongKeys.map((key) =>
      refused(`label in an expression ${JSON.stringify(key)}`, withExpression({ key }), {
        field: `${field}.matchExpressions[0].key`,
        reason: 'FieldValueInvalid',
      }),
    ),
    ...limit(
      'values of an expression',
      64,
      (size) => withExpression({ values: repeat(size, (index) => `v${index}`) }),
      {
        field: `${field}.matchExpressions[0].values`,
        reason: 'FieldValueTooMany',
      },
    ),
    ...limit('length of a value in an expression', 63, (size) => withExpression({ values: ['a'.repeat(size)] }), {
      field: `${field}.matchExpressions[0].values[0]`,
      reason: 'FieldValueTooLong',
    }),
    ...wrongValues.map((value) =>
      refused(`value in an expression ${JSON.stringify(value)}`, withExpression({ values: ['a', value] }), {
        field: `${field}.matchExpressions[0].values[1]`,
        reason: 'FieldValueInvalid',
      }),
    ),
  ]
}

export const hostCases: readonly AdmissionCase[] = [...workers(), ...selectors()]
