import { expect, test } from 'vitest'
import { refuseSpec } from './refuse-spec.ts'

const spec = { workers: [], http: { port: 7117, api: '/v1/facts', method: 'GET' } }

test('nothing is wrong', () => {
  expect(refuseSpec(spec)).toEqual([])
})

test('everything that is wrong is told at once', () => {
  const wrong = {
    ...spec,
    hostSelector: { matchExpressions: [{ key: 'zone', operator: 'In' }] },
    http: { ...spec.http, port: 22, api: '/a/../b', parameters: [{ key: 'a', value: '`' }] },
  }
  expect(refuseSpec(wrong).map(({ field, code }) => `${field} ${code}`)).toEqual([
    'spec.hostSelector.matchExpressions[0].values SelectorRefused',
    'spec.http.port PortRefused',
    'spec.http.api PathRefused',
    'spec.http.parameters ValueRefused',
  ])
})

test("http on the agent's port", () => {
  const wrong = { ...spec, http: { ...spec.http, scheme: 'http' } }
  expect(refuseSpec(wrong)).toMatchObject([{ field: 'spec.http.scheme', code: 'SchemeRefused' }])
})

test.each([null, undefined, 'text', 7, []])('no spec at all: %j', (wrong) => {
  expect(refuseSpec(wrong)).toMatchObject([{ field: 'spec', code: 'FieldRefused' }])
})
