import { maxApiPathLength } from '../api-path.ts'
import { maxMatchLabels } from '../label-selector.ts'
import { maxKeyLength, maxParameters, maxValueLength, shellCharacters } from '../parameters.ts'
import {
  accepted,
  ascii,
  controlCharacters,
  http,
  limit,
  nameOf,
  refused,
  repeat,
  withParameters,
  withSpec,
  without,
  type AdmissionCase,
} from './case.ts'

const parameter = { key: 'net.ipv4.ip_forward', value: '1' }
const secret = 's3cr3t'

function lists(): AdmissionCase[] {
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
      'length of a value of characters that are two UTF-16 units',
      maxValueLength,
      (size) => withParameters({ key: 'k', value: '🦀'.repeat(size) }),
      { field: `${field}[0].value`, reason: 'FieldValueTooLong', hides: '🦀' },
    ),
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

function references(): AdmissionCase[] {
  const field = 'spec.http.parameters'
  const reference = { name: 'credentials', key: 'password' }
  const from = (secretKeyRef: unknown) => ({ key: 'k', valueFrom: { secretKeyRef } })
  const elsewhere = (fields: object) =>
    withSpec({ http: { ...http, ...fields, parameters: [parameter, from(reference)] } })
  const within = (part: 'name' | 'key', text: string) => withParameters(parameter, from({ ...reference, [part]: text }))
  const refusedWithin = (part: 'name' | 'key', text: string) =>
    refused(`reference to a Secret, ${part} ${JSON.stringify(text)}`, within(part, text), {
      field: `${field}[1].valueFrom.secretKeyRef.${part}`,
      reason: 'FieldValueInvalid',
    })
  const name = (size: number) => 'n'.repeat(size)
  return [
    accepted('a value from a Secret', withParameters(parameter, from(reference))),
    accepted('a value from a Secret, by https', elsewhere({ scheme: 'https' })),
    accepted('a value from a Secret, Typed', elsewhere({ check: 'Typed' })),
    accepted('a value from a Secret, in a query', elsewhere({ method: 'GET' })),
    refused('value and valueFrom', withParameters(parameter, { ...from(reference), value: secret }), {
      field: `${field}[1].valueFrom`,
      reason: 'FieldValueForbidden',
      says: ['value and valueFrom'],
      hides: secret,
    }),
    refused('an empty value and valueFrom', withParameters({ ...from(reference), value: '' }), {
      field: `${field}[0].valueFrom`,
      reason: 'FieldValueForbidden',
    }),
    refused('a refused value beside one from a Secret', withParameters(from(reference), { key: 'b', value: ';' }), {
      field,
      reason: 'FieldValueForbidden',
      says: ['"b"', 'U+003B (;)'],
    }),
    refused('valueFrom of nothing', withParameters({ key: 'k', valueFrom: {} }), {
      field: `${field}[0].valueFrom.secretKeyRef`,
      reason: 'FieldValueRequired',
    }),
    ...['name', 'key'].map((part) =>
      refused(`reference to a Secret without ${part}`, withParameters(parameter, from(without(reference, part))), {
        field: `${field}[1].valueFrom.secretKeyRef.${part}`,
        reason: 'FieldValueRequired',
      }),
    ),
    ...([{ port: 8080 }, { port: 8080, scheme: 'https' }, { port: 7118, scheme: 'http' }] as const).map((fields) =>
      refused(`a value from a Secret, ${JSON.stringify(fields)}`, elsewhere(fields), {
        field,
        reason: 'FieldValueForbidden',
        says: ['7117', 'mutual TLS'],
      }),
    ),
    refused("a value from a Secret, on the agent's port by http", elsewhere({ scheme: 'http' }), {
      field: 'spec.http.scheme',
      reason: 'FieldValueForbidden',
    }),
    ...['a', '0', 'a.b', 'a-b', 'a--b.c-d', 'a.0'].map((text) => accepted(`Secret ${text}`, within('name', text))),
    ...['', '-a', 'a-', '.a', 'a.', 'a..b', 'A', 'a_b', 'a/b', 'a b', 'a\n', 'é'].map((text) =>
      refusedWithin('name', text),
    ),
    ...['a', '-', '_', '.a', 'tls.crt', '.dockerconfigjson', 'a..b', 'A_b-0.', '._'].map((text) =>
      accepted(`key ${text} of a Secret`, within('key', text)),
    ),
    ...['', '.', '..', '..a', '...', 'a/b', 'a b', 'a\n', 'é', 'a*'].map((text) => refusedWithin('key', text)),
    ...limit(
      'length of the name of a Secret',
      253,
      (size) => withParameters(from({ ...reference, name: name(size) })),
      {
        field: `${field}[0].valueFrom.secretKeyRef.name`,
        reason: 'FieldValueTooLong',
      },
    ),
    ...limit('length of a key of a Secret', 253, (size) => withParameters(from({ ...reference, key: name(size) })), {
      field: `${field}[0].valueFrom.secretKeyRef.key`,
      reason: 'FieldValueTooLong',
    }),
    accepted(
      'every value from a Secret',
      withParameters(
        ...repeat(maxParameters, (index) => ({ ...from({ name: name(253), key: name(253) }), key: `k${index}` })),
      ),
    ),
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
    refusedKey('that is a format', '%s%d', '%s%d', 'U+0025 (%)'),
  ]
}

function texts(): AdmissionCase[] {
  const shell = new Set([...shellCharacters, ...controlCharacters])
  const field = 'spec.http.parameters'
  const typed = { ...http, check: 'Typed' }
  const refusedIn = (at: string, title: string, value: string, character: string) =>
    refused(`value ${title}`, withParameters({ key: 'other', value: '1' }, { ...parameter, value }), {
      field: at,
      reason: 'FieldValueForbidden',
      says: [`"${parameter.key}"`, character],
      hides: secret,
    })
  const refusedValue = (title: string, value: string, character: string) => refusedIn(field, title, value, character)
  const refusedEver = (title: string, value: string, character: string) => {
    const testCase = refusedIn(`${field}[1].value`, title, value, character)
    const parameters = [
      { key: 'other', value: '1' },
      { ...parameter, value },
    ]
    return [
      testCase,
      { ...testCase, title: `${testCase.title}, Typed`, spec: withSpec({ http: { ...typed, parameters } }) },
    ]
  }
  return [
    ...shellCharacters.map((character) =>
      refusedValue(`with ${nameOf(character)}`, `${secret}${character}${secret}`, nameOf(character)),
    ),
    ...controlCharacters.flatMap((character) =>
      refusedEver(`with ${nameOf(character)}`, `${secret}${character}${secret}`, nameOf(character)),
    ),
    ...[...shellCharacters, '-', '-w', '|/usr/lib/systemd/systemd-coredump %P %u'].map((value) =>
      accepted(
        `Typed value ${value}`,
        withSpec({ http: { ...typed, parameters: [{ key: 'kernel.core_pattern', value }] } }),
      ),
    ),
    refused('key of a Typed value', withSpec({ http: { ...typed, parameters: [{ key: 'a;b', value: '|' }] } }), {
      field: `${field}[0].key`,
      reason: 'FieldValueForbidden',
      says: ['U+003B (;)'],
    }),
    ...shellCharacters.map((character) =>
      refusedValue(`that is ${character}`, character, `${nameOf(character)} (${character})`),
    ),
    refusedValue('with a leading hyphen', `-${secret}`, 'U+002D (-)'),
    refusedValue('that is a hyphen', '-', 'U+002D (-)'),
    ...refusedEver('that begins with a newline', `\n${secret}`, 'U+000A'),
    ...refusedEver('that ends in a newline', `${secret}\n`, 'U+000A'),
    ...refusedEver('that ends in a NUL', `${secret}\0`, 'U+0000'),
    refusedValue('with two refused characters: the first is named', `${secret}|${secret};`, 'U+007C (|)'),
    refused('value of a key that is refused too', withParameters({ key: 'a\nb', value: `${secret};` }), {
      field,
      reason: 'FieldValueForbidden',
      says: ['"a…"', 'U+003B (;)'],
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
      withParameters(
        ...full('v'.repeat(maxValueLength)).with(maxParameters - 1, {
          key: key(maxParameters - 1),
          value: `${secret};`.padStart(maxValueLength, 'v'),
        }),
      ),
      {
        field: 'spec.http.parameters',
        reason: 'FieldValueForbidden',
        says: [key(maxParameters - 1), 'U+003B (;)'],
        hides: secret,
      },
    ),
    refused(
      'the longest key repeated at the end of the longest list',
      withParameters(...full('').with(maxParameters - 1, { key: key(maxParameters - 2), value: secret })),
      {
        field: 'spec.http.parameters',
        reason: 'FieldValueForbidden',
        says: [key(maxParameters - 2)],
        hides: secret,
      },
    ),
  ]
}

export const parameterCases: readonly AdmissionCase[] = [
  ...lists(),
  ...references(),
  ...keys(),
  ...texts(),
  ...extremes(),
]
