import { maxApiPathLength } from '../api-path.ts'
import { refusedPorts } from '../ports.ts'
import {
  accepted,
  ascii,
  limit,
  nameOf,
  refused,
  repeat,
  withHttp,
  withSpec,
  without,
  type AdmissionCase,
} from './case.ts'

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
    ...choices('method', ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], ['HEAD', 'OPTIONS', 'CONNECT', 'get', '']),
    ...choices('targetType', ['All', 'ControlPlane', 'Worker'], ['all', 'Node', '']),
    ...choices('check', ['Text', 'Typed'], ['typed', 'None', '']),
    refused('check Typed on another port', withHttp({ check: 'Typed', port: 8080, scheme: 'https' }), {
      field: 'spec.http.check',
      reason: 'FieldValueForbidden',
      says: ['7117'],
    }),
    refused("check Typed on the agent's port by http", withHttp({ check: 'Typed', scheme: 'http' }), {
      field: 'spec.http.scheme',
      reason: 'FieldValueForbidden',
      says: ['7117', 'https'],
    }),
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

export const httpCases: readonly AdmissionCase[] = [...ports(), ...paths(), ...requests(), ...amounts()]
