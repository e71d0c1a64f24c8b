import { HostRequestStatus, IndexSet } from '@keelson/api'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { beginning } from '../runs/run-record.ts'
import { specOf, type SpecSketch } from '../testing/objects.ts'
import { dryRunStatus } from './dry-run.ts'
import { nothingTold } from './told.ts'

const context = {
  ...{ generation: 1, present: undefined, history: [], now: '2026-01-02T12:00:00Z' },
  run: { id: 'a-1', specDigest: 's', startTime: '2026-01-02T12:00:00Z', targets: { digest: 't' } },
}

function tell(sketch: SpecSketch, skipped: readonly number[] = []): HostRequestStatus {
  const record = { ...beginning, epoch: 1, skipped: IndexSet.of(skipped) }
  const known = { details: new Map(), answers: new Map(), told: nothingTold, notTargeted: new Set(['control']) }
  return dryRunStatus(specOf(sketch), { names: ['control', 'node1', 'node2', 'node3'], record, ...known }, context)
}

const finished = ({ conditions }: HostRequestStatus) =>
  conditions.filter(({ status }) => status === 'True').map(({ type, reason }) => `${type} ${reason}`)

test.each([
  ['POST', 'https://{host}:7117/v1/sysctl', { body: '{"a":"1 2","b":"{secret s/k.x}"}' }],
  ['GET', 'https://{host}:7117/v1/sysctl?a=1+2&b={secret s/k.x}', {}],
] as const)('a %s tells of a value from a Secret where it comes from', (method, url, more) => {
  const parameters = [
    { key: 'a', value: '1 2' },
    { key: 'b', valueFrom: { secretKeyRef: { name: 's', key: 'k.x' } } },
  ]
  const http = { port: 7117, api: '/v1/sysctl', method, parameters }
  expect(tell({ http }).dryRun?.request).toMatchObject({ url, ...more })
})

test('who would get what is told, with the state of a run that went well', () => {
  const http = { port: 7117, api: '/v1/sysctl', method: 'POST' as const, parameters: [{ key: 'a', value: 'b "c"' }] }
  const status = tell({ http }, [0, 3])
  expect(status).toMatchObject({
    ...{ state: 'SUCCESS', progress: '0/2', counts: { targets: 4, succeeded: 0, skipped: 2 } },
    msg: 'dry run: 2 hosts would get the request: node1, node2; skipped: control (not targeted); skipped: node3 (offline); nothing was sent',
    dryRun: {
      request: {
        ...{ method: 'POST', url: 'https://{host}:7117/v1/sysctl', body: '{"a":"b \\"c\\""}' },
        headers: ['idempotency-key: a-1/0/{uid}', 'content-type: application/json'],
      },
    },
  })
  expect(finished(status)).toEqual(['Ready DryRun', 'Finished DryRun'])
  expect(status.run.finishTime).toBe(context.now)
})

test('nobody would get it: ERROR', () => {
  const status = tell({}, [0, 1, 2, 3])
  expect(status.msg).toMatch(/^dry run: no host to send to; skipped: control \(not targeted\); .*nothing was sent$/)
  expect([status.state, finished(status)]).toEqual(['ERROR', ['Stalled NoTargets', 'Finished NoTargets']])
})

test('parameters of a GET are in the URL', () => {
  const request = tell({ http: { parameters: [{ key: 'a', value: 'b c' }] } }).dryRun?.request
  expect(request).toEqual({ method: 'GET', url: 'http://{host}:8080/status?a=b+c', headers: [] })
})

test('as much of a request as the API server takes', () => {
  const parameters = fc.array(
    fc.record({ key: fc.string({ maxLength: 253 }), value: fc.string({ unit: 'grapheme', maxLength: 1_024 }) }),
    {
      maxLength: 64,
    },
  )
  fc.assert(
    fc.property(parameters, fc.constantFrom('GET', 'POST'), (given, method) => {
      const spec = { ...specOf({}), http: { ...specOf({}).http, method, parameters: given } } as const
      const view = { names: ['a'], record: { ...beginning, epoch: 1 }, details: new Map(), answers: new Map() }
      const status = dryRunStatus(spec, { ...view, told: nothingTold, notTargeted: new Set() }, context)
      expect(HostRequestStatus.parse(status)).toEqual(status)
    }),
    { numRuns: 50 },
  )
})
