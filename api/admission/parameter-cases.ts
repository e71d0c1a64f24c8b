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

export const parameterCases: readonly AdmissionCase[] = [...lists(), ...keys(), ...texts(), ...extremes()]
