import { Host, HostRequest } from '@keelson/api'
import { expect, test } from 'vitest'
import { HostRow } from '../../../protocol/hosts.ts'
import { RequestRow } from '../../../protocol/requests.ts'
import { hostNamed, requestNamed, statusOf } from '../../testing/objects.ts'
import { hostRowOf } from './host-row.ts'
import { requestRowOf } from './request-row.ts'

test('a Host is a row, known or hardly', () => {
  const whole = Host.parse(hostNamed('node1', { message: 'no answer', labels: { zone: 'a' } }))
  expect(HostRow.parse(hostRowOf(whole))).toEqual({
    ...{ name: 'node1', uid: 'uid-node1', role: 'Worker', online: 'True', ready: 'False', labels: { zone: 'a' } },
    ...{ reason: 'AgentUnreachable', message: 'no answer', address: '192.0.2.1' },
    ...{ os: '', kernel: '', agentVersion: '', createdAt: '2026-01-02T12:00:00Z' },
  })
  const { status: _, ...bare } = whole
  expect(HostRow.parse(hostRowOf(bare))).toMatchObject({
    role: 'Worker',
    online: 'Unknown',
    ready: 'Unknown',
    address: '',
  })
})

test('a HostRequest is a row, before the operator has seen it and after', () => {
  const bare = HostRequest.parse(requestNamed('red', 'a', { workers: ['b', 'a', 'b'], waves: [1, '100%'] }))
  expect(RequestRow.parse(requestRowOf(bare))).toMatchObject({
    ...{ namespace: 'red', name: 'a', workers: 2, state: 'PENDING', finished: false, progress: '0/0', wave: 0 },
    reasons: [],
  })
  const groups = ['A', 'B', 'C', 'D'].map((reason) => ({ reason, message: 'm', count: 1, sample: [] }))
  const status = statusOf(['a', 'b', 'c'], { failureGroups: groups })
  const ended = HostRequest.parse({ ...bare, status })
  expect(RequestRow.parse(requestRowOf(ended))).toMatchObject({
    ...{ state: 'SUCCESS', finished: true, waves: 2, progress: '3/3', counts: { targets: 3 } },
    reasons: ['A', 'B', 'C'].map((reason) => ({ reason, message: 'm', count: 1 })),
  })
  const asked = { ...ended, metadata: { ...ended.metadata, generation: 2 } }
  expect(requestRowOf(asked).finished).toBe(false)
})
