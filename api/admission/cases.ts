import { maxApiPathLength } from '../api-path.ts'
import { maxMatchLabels } from '../label-selector.ts'
import { maxKeyLength, maxParameters, maxValueLength, shellCharacters } from '../parameters.ts'
import { refusedPorts } from '../ports.ts'

/** The spec of a HostRequest, and what the API server and the controller's own check must say to it. */
export type AdmissionCase = {
  readonly title: string
  readonly spec: unknown
  /** Absent: it is accepted. */
  readonly refused?: ExpectedRefusal
}

export type ExpectedRefusal = {
  readonly field: string
  /** As in `details.causes[].reason` of the API server's answer. */
  readonly reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueForbidden'
    | 'FieldValueNotSupported'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | 'FieldValueTypeInvalid'
  /** Parts of the message. */
  readonly says?: readonly string[]
  /** What appears nowhere in the answer. */
  readonly hides?: string
}

type Fields = Readonly<Record<string, unknown>>

const worker = { name: 'node1' }
const http = { port: 7117, api: '/v1/sysctl', method: 'POST' }
const parameter = { key: 'net.ipv4.ip_forward', value: '1' }
const secret = 's3cr3t'

const withSpec = (fields: Fields): Fields => ({ workers: [worker], http, ...fields })
const withHttp = (fields: Fields): Fields => withSpec({ http: { ...http, ...fields } })
const withParameters = (...parameters: readonly unknown[]): Fields => withHttp({ parameters })
const withSelector = (hostSelector: Fields): Fields => withSpec({ hostSelector })
const withExpression = (fields: Fields): Fields =>
  withSelector({ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'], ...fields }] })

function without(fields: Fields, name: string): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name))
}

function repeat<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

const accepted = (title: string, spec: unknown): AdmissionCase => ({ title, spec })
const refused = (title: string, spec: unknown, expected: ExpectedRefusal): AdmissionCase => ({
  title,
  spec,
  refused: expected,
})

/** At the limit accepted, one beyond it refused. */
function limit(
  title: string,
  at: number,
  make: (size: number) => unknown,
  expected: ExpectedRefusal,
  beyond = at + 1,
): AdmissionCase[] {
  return [accepted(`${title}: ${at}`, make(at)), refused(`${title}: ${beyond}`, make(beyond), expected)]
}

const controlCharacters = [...repeat(0x20, (code) => String.fromCodePoint(code)), '\x7f']
const ascii = repeat(0x80, (code) => String.fromCodePoint(code))

/** As the message names a character of ASCII. */
function nameOf(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
}

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

function ports(): AdmissionCase[] {
  const field = 'spec.http.port'
  const neighbours = new Set(
    refusedPorts.flatMap((port) => [port - 1, port + 1]).filter((port) => !refusedPorts.includes(port)),
  )
  return [
    refused('port missing', withHttp({ port: undefined }), { field, reason: 'FieldValueRequired' }),
    refused('port as text', withHttp({ port: '8080' }), { field, reason: 'FieldValueTypeInvalid' }),
    ...refusedPorts.map((port) =>
      refused(`port ${port}`, withHttp({ port }), { field, reason: 'FieldValueForbidden', says: [String(port)] }),
    ),
    ...[...neighbours].map((port) => accepted(`port ${port}, neighbour of a refused one`, withHttp({ port }))),
    ...limit('lowest port', 1, (port) => withHttp({ port }), { field, reason: 'FieldValueInvalid' }, 0),
    ...limit('highest port', 65_535, (port) => withHttp({ port }), { field, reason: 'FieldValueInvalid' }),
  ]
}

function paths(): AdmissionCase[] {
  const field = 'spec.http.api'
  const grammar = ascii.filter((character) => /[A-Za-z0-9._~/-]/.test(character))
  const right = [
    '/',
    '/v1/sysctl',
    '/a/',
    '/~user/x',
    '/...',
    '/a/.hidden',
    '/a../b',
    '/..a',
    '/a.b/c.',
    '/.a/b..',
    '/-',
  ]
  const ambiguous = [
    ...['//', '//a', '/a//b', '/a//'].map((path) => [path, '//'] as const),
    ...['/.', '/..', '/./a', '/../a', '/a/.', '/a/..', '/a/./b', '/a/../b', '/a/../'].map(
      (path) => [path, '. or ..'] as const,
    ),
  ]
  const invalid = { field, reason: 'FieldValueInvalid' } as const
  return [
    refused('path missing', withHttp({ api: undefined }), { field, reason: 'FieldValueRequired' }),
    ...right.map((api) => accepted(`path ${api}`, withHttp({ api }))),
    ...ambiguous.map(([api, says]) => refused(`path ${api}`, withHttp({ api }), { ...invalid, says: [says] })),
    ...['', 'v1/sysctl', 'http://host/', '/é', '/v1/sysctl\n', '\n/v1/sysctl'].map((api) =>
      refused(`path ${JSON.stringify(api)}`, withHttp({ api }), invalid),
    ),
    accepted('path of every allowed character', withHttp({ api: `/${grammar.join('x')}x` })),
    ...ascii
      .filter((character) => !grammar.includes(character))
      .map((character) => refused(`path with ${nameOf(character)}`, withHttp({ api: `/a${character}b` }), invalid)),
    ...limit('length of a path', maxApiPathLength, (size) => withHttp({ api: `/${'a'.repeat(size - 1)}` }), {
      field,
      reason: 'FieldValueTooLong',
    }),
  ]
}

function requests(): AdmissionCase[] {
  const choices = (name: string, right: readonly string[], wrong: readonly string[]): AdmissionCase[] => [
    ...right.map((choice) => accepted(`${name} ${choice}`, withHttp({ [name]: choice }))),
    ...wrong.map((choice) =>
      refused(`${name} ${JSON.stringify(choice)}`, withHttp({ [name]: choice }), {
        field: `spec.http.${name}`,
        reason: 'FieldValueNotSupported',
      }),
    ),
  ]
  const codes = (...successCodes: readonly unknown[]) => withHttp({ successCodes })
  return [
    refused('spec missing', undefined, { field: 'spec', reason: 'FieldValueRequired' }),
    refused('http missing', without(withSpec({}), 'http'), { field: 'spec.http', reason: 'FieldValueRequired' }),
    refused('method missing', withHttp({ method: undefined }), {
      field: 'spec.http.method',
      reason: 'FieldValueRequired',
    }),
    ...choices('method', ['GET', 'POST'], ['PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'CONNECT', 'get', '']),
    ...choices('targetType', ['All', 'ControlPlane', 'Worker'], ['all', 'Node', '']),
    ...choices('check', ['Text'], ['Typed', 'None', '']),
    ...choices('scheme', ['https'], ['ftp', 'HTTPS', '']),
    refused("http on the agent's port", withHttp({ scheme: 'http' }), {
      field: 'spec.http.scheme',
      reason: 'FieldValueForbidden',
      says: ['7117', 'https'],
    }),
    ...(['http', 'https'] as const).map((scheme) =>
      accepted(`${scheme} on port 8080`, withHttp({ scheme, port: 8080 })),
    ),
    ...['1xx', '5xx', '100', '204', '599'].map((code) => accepted(`success code ${code}`, codes(code))),
    ...['0xx', '6xx', '099', '600', '20', '2000', '2XX', '2x', '2xxx', 'x', '', '2xx\n'].map((code) =>
      refused(`success code ${JSON.stringify(code)}`, codes('2xx', code), {
        field: 'spec.http.successCodes[1]',
        reason: 'FieldValueInvalid',
      }),
    ),
    ...limit(
      'success codes, fewest',
      1,
      (size) => codes(...repeat(size, () => '2xx')),
      {
        field: 'spec.http.successCodes',
        reason: 'FieldValueInvalid',
      },
      0,
    ),
    ...limit('success codes, most', 16, (size) => codes(...repeat(size, (index) => String(200 + index))), {
      field: 'spec.http.successCodes',
      reason: 'FieldValueTooMany',
    }),
  ]
}

function amounts(): AdmissionCase[] {
  const timeout = { field: 'spec.timeoutSeconds', reason: 'FieldValueInvalid' } as const
  const parallelism = { field: 'spec.parallelism', reason: 'FieldValueInvalid' } as const
  return [
    ...limit('shortest timeout', 1, (timeoutSeconds) => withSpec({ timeoutSeconds }), timeout, 0),
    ...limit('longest timeout', 3600, (timeoutSeconds) => withSpec({ timeoutSeconds }), timeout),
    ...limit('least parallelism', 1, (size) => withSpec({ parallelism: size }), parallelism, 0),
    ...limit('most parallelism', 1024, (size) => withSpec({ parallelism: size }), parallelism),
    ...limit('least percentage', 1, (size) => withSpec({ parallelism: `${size}%` }), parallelism, 0),
    ...limit('most percentage', 100, (size) => withSpec({ parallelism: `${size}%` }), parallelism),
    ...['10%', '99%'].map((size) => accepted(`parallelism ${size}`, withSpec({ parallelism: size }))),
    ...['64', '5', '%', '05%', '1.5%', '-1%', '5 %', '1000%', '5%\n', ''].map((size) =>
      refused(`parallelism ${JSON.stringify(size)}`, withSpec({ parallelism: size }), parallelism),
    ),
  ]
}

function parameters(): AdmissionCase[] {
  const field = 'spec.http.parameters'
  return [
    accepted('parameters empty', withParameters()),
    accepted('a parameter', withParameters(parameter)),
    ...['key', 'value'].map((name) =>
      refused(`${name} of a parameter missing`, withParameters(parameter, without(parameter, name)), {
        field: `${field}[1].${name}`,
        reason: 'FieldValueRequired',
      }),
    ),
    refused('value of a parameter a number', withParameters({ ...parameter, value: 1 }), {
      field: `${field}[0].value`,
      reason: 'FieldValueTypeInvalid',
    }),
    refused(
      'the same key twice',
      withParameters(parameter, { key: 'other', value: '1' }, { ...parameter, value: secret }),
      {
        field,
        reason: 'FieldValueForbidden',
        says: [`"${parameter.key}"`],
        hides: secret,
      },
    ),
    accepted('keys that differ in case', withParameters({ key: 'a', value: '1' }, { key: 'A', value: '1' })),
    ...limit(
      'parameters',
      maxParameters,
      (size) => withParameters(...repeat(size, (index) => ({ key: `k${index}`, value: '' }))),
      {
        field,
        reason: 'FieldValueTooMany',
      },
    ),
    ...limit('length of a key', maxKeyLength, (size) => withParameters({ key: 'k'.repeat(size), value: '1' }), {
      field: `${field}[0].key`,
      reason: 'FieldValueTooLong',
    }),
    ...limit(
      'length of a value',
      maxValueLength,
      (size) => withParameters({ key: 'k', value: secret.padEnd(size, 'v') }),
      {
        field: `${field}[0].value`,
        reason: 'FieldValueTooLong',
        hides: secret,
      },
    ),
    refused('key empty', withParameters({ key: '', value: '1' }), {
      field: `${field}[0].key`,
      reason: 'FieldValueInvalid',
    }),
  ]
}

function keys(): AdmissionCase[] {
  const inner = ascii.filter((character) => /[A-Za-z0-9._/-]/.test(character))
  const first = inner.filter((character) => /[A-Za-z0-9]/.test(character))
  const refusedKey = (title: string, key: string, shown: string, character: string) =>
    refused(`key ${title}`, withParameters(parameter, { key, value: secret }), {
      field: 'spec.http.parameters[1].key',
      reason: 'FieldValueForbidden',
      says: [`"${shown}"`, character],
      hides: secret,
    })
  return [
    accepted(
      'key of every allowed character',
      withParameters({ key: inner.toSorted().toReversed().join(''), value: '1' }),
    ),
    ...first.map((character) => accepted(`key that is ${character}`, withParameters({ key: character, value: '1' }))),
    ...ascii
      .filter((character) => !first.includes(character))
      .map((character) => {
        const shown = controlCharacters.includes(character) ? '…' : `${character}k`
        return refusedKey(`that begins with ${nameOf(character)}`, `${character}k`, shown, nameOf(character))
      }),
    ...ascii
      .filter((character) => !inner.includes(character))
      .map((character) => {
        const shown = controlCharacters.includes(character) ? 'a…' : `a${character}b`
        return refusedKey(`with ${nameOf(character)}`, `a${character}b`, shown, nameOf(character))
      }),
    refusedKey('that ends in a newline', 'a\n', 'a…', 'U+000A'),
    refusedKey('with é', 'aéb', 'a…', 'UTF-8 C3A9'),
    refusedKey('with an emoji', '🦀', '…', 'UTF-8 F09FA680'),
    refusedKey('that is a format', '%s%d', '%s%d', 'U+0025 %'),
  ]
}

function values(): AdmissionCase[] {
  const shell = new Set([...shellCharacters, ...controlCharacters])
  const refusedValue = (title: string, value: string, character: string) =>
    refused(`value ${title}`, withParameters({ key: 'other', value: '1' }, { ...parameter, value }), {
      field: 'spec.http.parameters[1].value',
      reason: 'FieldValueForbidden',
      says: [`"${parameter.key}"`, character],
      hides: secret,
    })
  return [
    ...[...shell].map((character) =>
      refusedValue(`with ${nameOf(character)}`, `${secret}${character}${secret}`, nameOf(character)),
    ),
    ...shellCharacters.map((character) =>
      refusedValue(`that is ${character}`, character, `${nameOf(character)} ${character}`),
    ),
    refusedValue('with a leading hyphen', `-${secret}`, 'U+002D -'),
    refusedValue('that is a hyphen', '-', 'U+002D -'),
    refusedValue('that begins with a newline', `\n${secret}`, 'U+000A'),
    refusedValue('that ends in a newline', `${secret}\n`, 'U+000A'),
    refusedValue('that ends in a NUL', `${secret}\0`, 'U+0000'),
    refusedValue('with two refused characters: the first is named', `${secret}|${secret};`, 'U+007C |'),
    refused('value of a key that is refused too', withParameters({ key: 'a\nb', value: `${secret};` }), {
      field: 'spec.http.parameters[0].value',
      reason: 'FieldValueForbidden',
      says: ['"a…"', 'U+003B ;'],
      hides: secret,
    }),
    ...ascii
      .filter((character) => !shell.has(character))
      .map((character) =>
        accepted(`value with ${nameOf(character)}`, withParameters({ key: 'k', value: `a${character}b` })),
      ),
    ...['', ' ', ' leading space', 'a-b', 'a-', '\u0080', 'é', '中文', '🦀', '%s', '4096 87380 6291456'].map((value) =>
      accepted(`value ${JSON.stringify(value)}`, withParameters({ key: 'k', value })),
    ),
  ]
}

/** What a rule may cost at run time shows at the limits only. */
function extremes(): AdmissionCase[] {
  const key = (index: number) => `k${String(index).padStart(maxKeyLength - 1, '0')}`
  const full = (value: string) => repeat(maxParameters, (index) => ({ key: key(index), value }))
  const labels = repeat(maxMatchLabels, (index) => [
    `${'a'.repeat(253)}/${String(index).padStart(63, '0')}`,
    'v'.repeat(63),
  ])
  return [
    accepted('every list and text at its limit', {
      workers: repeat(1024, (index) => ({ name: `n${String(index).padStart(252, '0')}` })),
      hostSelector: {
        matchLabels: Object.fromEntries(labels),
        matchExpressions: labels.map(([label]) => ({
          key: label,
          operator: 'NotIn',
          values: repeat(64, (index) => String(index).padStart(63, '0')),
        })),
      },
      http: {
        ...http,
        api: `/${'a/'.repeat(maxApiPathLength / 2 - 1)}a`,
        parameters: full('v'.repeat(maxValueLength)),
      },
    }),
    refused(
      'a refused character at the end of everything',
      withParameters(...full(`${secret};`.padStart(maxValueLength, 'v'))),
      {
        field: `spec.http.parameters[${maxParameters - 1}].value`,
        reason: 'FieldValueForbidden',
        says: [key(maxParameters - 1), 'U+003B ;'],
        hides: secret,
      },
    ),
    refused(
      'the longest key repeated at the end of the longest list',
      withParameters(...full('').with(-1, { key: key(maxParameters - 2), value: secret })),
      {
        field: 'spec.http.parameters',
        reason: 'FieldValueForbidden',
        says: [key(maxParameters - 2)],
        hides: secret,
      },
    ),
  ]
}

/** Made from the rules' own constants: each refused character, each bound at its limit and one beyond, each refused port, and neighbours that are accepted. */
export const admissionCases: readonly AdmissionCase[] = [
  ...workers(),
  ...selectors(),
  ...ports(),
  ...paths(),
  ...requests(),
  ...amounts(),
  ...parameters(),
  ...keys(),
  ...values(),
  ...extremes(),
]
