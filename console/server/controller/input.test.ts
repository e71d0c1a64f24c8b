import type { FastifyRequest } from 'fastify'
import { describe, expect, test } from 'vitest'
import { setGrants } from '../../protocol/access.ts'
import { listAudit } from '../../protocol/audit.ts'
import { createRequest } from '../../protocol/requests.ts'
import type { Route } from '../../protocol/route.ts'
import { signOut } from '../../protocol/session.ts'
import { inputOf } from './input.ts'

const nothing = { params: {}, query: {}, body: undefined }
const read = <R extends Route>(route: R, request: object) =>
  inputOf(route, { ...nothing, ...request } as FastifyRequest)
const spec = { workers: [], http: { port: 7117, api: '/v1/sysctl', method: 'GET' } }

test('what is left out is filled in, and what is a number in the query is one', () => {
  expect(read(listAudit, { query: { before: '7' } }).query).toEqual({ before: 7, limit: 50 })
  expect(read(signOut, {})).toEqual({ params: undefined, query: undefined, body: undefined })
})

describe('an unknown field is named, at any depth', () => {
  test.each([
    [signOut, { query: { now: '1' } }, 'query', undefined],
    [signOut, { body: { now: true } }, 'body', undefined],
    [listAudit, { query: { sort: 'actor' } }, 'query: sort', 'sort'],
    [
      createRequest,
      { body: { namespace: 'a', name: 'b', spec: { ...spec, paralelism: 5 } } },
      'body: spec.paralelism',
      'spec.paralelism',
    ],
    [
      createRequest,
      { body: { namespace: 'a', name: 'b', spec: { ...spec, workers: [{ name: 'c' }, { name: 'd', port: 1 }] } } },
      'body: spec.workers[1].port',
      'spec.workers[1].port',
    ],
    [
      setGrants,
      {
        params: { name: 'ada' },
        body: { grants: [{ kind: 'Role', role: 'keelson-viewer', namespaces: [], cluster: 'x' }] },
      },
      'body: grants[0].cluster',
      'grants[0].cluster',
    ],
  ] as [Route, object, string, string | undefined][])('%#', (route, request, where, field) => {
    expect(() => read(route, request)).toThrow(
      expect.objectContaining({
        status: 400,
        code: 'InputInvalid',
        message: expect.stringContaining(`${where}: `) as string,
        problem: expect.objectContaining(field === undefined ? {} : { field }) as object,
      }),
    )
  })
})

test('every field that is wrong is named', () => {
  const body = { namespace: 'A', name: 'b', spec: { ...spec, http: { ...spec.http, port: 'x' } } }
  expect(() => read(createRequest, { body })).toThrow(
    expect.objectContaining({
      problem: expect.objectContaining({
        field: 'namespace',
        causes: [
          { field: 'namespace', message: expect.any(String) as string },
          { field: 'spec.http.port', message: expect.any(String) as string },
        ],
      }) as object,
    }),
  )
})
