import { HostStatus, type Facts } from '@keelson/api'
import type { Node } from '@keelson/kube'
import { describe, expect, test } from 'vitest'
import { hostOf } from '../testing/objects.ts'
import { agentAddress, hostLabels, hostStatus, offlineReason } from './host-object.ts'

const now = new Date('2026-01-02T12:00:00Z')
const later = new Date('2026-01-02T13:00:00Z')

type NodeSketch = {
  readonly ready?: 'True' | 'False' | 'Unknown' | undefined
  readonly labels?: Record<string, string>
  readonly addresses?: readonly (readonly [type: string, address: string])[]
}

function nodeOf({ ready, labels = {}, addresses = [['InternalIP', '10.0.0.1']] }: NodeSketch): Node {
  const reason = ready === 'True' ? 'KubeletReady' : 'KubeletStopped'
  return {
    metadata: { name: 'worker-1', labels },
    status: {
      addresses: addresses.map(([type, address]) => ({ type, address })),
      conditions: [
        { type: 'MemoryPressure', status: 'True' },
        ...(ready === undefined ? [] : [{ type: 'Ready', status: ready, reason }]),
      ],
    },
  }
}

const facts: Facts = {
  ...{
    protocol: 1,
    agentVersion: '0.1.0',
    hostname: 'worker-1',
    kernelVersion: '6.1.0',
    bootID: 'b',
    architecture: 'x86_64',
  },
  ...{ os: { id: 'debian', versionID: '12', name: 'Debian' }, types: { sysctl: 1 } },
}
const away = { reason: 'AgentUnreachable', message: 'the agent does not answer' }
const ready = nodeOf({ ready: 'True' })
const conditionsOf = ({ conditions }: HostStatus) =>
  conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`)

describe('labels', () => {
  test("are the Node's; those below keelson.dev/ are the Host's own", () => {
    const node = nodeOf({ labels: { zone: 'a', 'example.com/keelson.dev': 'x', 'keelson.dev/forged': 'yes' } })
    const host = hostOf({
      name: 'worker-1',
      labels: {
        zone: 'old',
        gone: 'x',
        'keelson.dev/own': 'yes',
        'use.keelson.dev/own': 'yes',
        'notkeelson.dev/x': '',
      },
    })
    expect(hostLabels(node, host)).toEqual({
      ...{ zone: 'a', 'example.com/keelson.dev': 'x', 'keelson.dev/own': 'yes', 'use.keelson.dev/own': 'yes' },
    })
    expect(hostLabels(node, undefined)).toEqual({ zone: 'a', 'example.com/keelson.dev': 'x' })
    expect(hostLabels({ metadata: { name: 'bare' } }, undefined)).toEqual({})
  })
})

describe('Online', () => {
  test.each([
    ['True', undefined],
    ['False', { reason: 'NodeNotReady', message: 'the Node is not ready: KubeletStopped' }],
    ['Unknown', { reason: 'NodeNotReady', message: 'the Node is not ready: KubeletStopped' }],
    [undefined, { reason: 'NodeStatusUnknown', message: 'the Node has no Ready condition yet' }],
  ] as const)('Node Ready %s', (is, reason) => {
    expect(offlineReason(nodeOf({ ready: is }))).toEqual(reason)
  })

  test('a Node without a status is not online', () => {
    const bare: Node = { metadata: { name: 'bare' } }
    expect(hostStatus(bare, undefined, undefined, now)).toMatchObject({ addresses: [], role: 'Worker' })
    expect(conditionsOf(hostStatus(bare, undefined, undefined, now))).toEqual([
      ...['Online False NodeStatusUnknown', 'Ready False NodeStatusUnknown'],
    ])
  })
})

describe('Ready', () => {
  test('online, and the agent answers', () => {
    const status = hostStatus(ready, { facts }, undefined, now)
    expect(conditionsOf(status)).toEqual(['Online True NodeReady', 'Ready True AgentAnswers'])
    expect(status.facts).toEqual(facts)
    expect(HostStatus.parse(status)).toEqual(status)
  })

  test('an agent that does not answer costs Ready, not Online and not the facts that are known', () => {
    const status = hostStatus(ready, away, hostStatus(ready, { facts }, undefined, now), later)
    expect(conditionsOf(status)).toEqual(['Online True NodeReady', 'Ready False AgentUnreachable'])
    expect(status.facts).toEqual(facts)
    expect(status.conditions.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual([
      ...['2026-01-02T12:00:00Z', '2026-01-02T13:00:00Z'],
    ])
  })

  test('a Node that is not Ready costs both, whatever the agent said last', () => {
    const status = hostStatus(nodeOf({ ready: 'Unknown' }), { facts }, undefined, now)
    expect(conditionsOf(status)).toEqual(['Online False NodeNotReady', 'Ready False NodeNotReady'])
  })

  test('a Node without an InternalIP has nothing to ask', () => {
    const node = nodeOf({ ready: 'True', addresses: [['Hostname', 'worker-1']] })
    expect(agentAddress(node)).toBeUndefined()
    expect(hostStatus(node, undefined, undefined, now).conditions).toMatchObject([
      { type: 'Online', status: 'True' },
      { type: 'Ready', status: 'Unknown', message: 'the Node has no InternalIP to ask its agent at' },
    ])
  })

  test.each([
    ['a new Host is unknown', undefined, 'Ready Unknown AgentNotAsked'],
    ['one that answered still does', hostStatus(ready, { facts }, undefined, now), 'Ready True AgentAnswers'],
    ['one that was away still is', hostStatus(ready, away, undefined, now), 'Ready False AgentUnreachable'],
    [
      'one that was offline is unknown',
      hostStatus(nodeOf({ ready: 'False' }), undefined, undefined, now),
      'Ready Unknown AgentNotAsked',
    ],
  ])('before the agent is asked: %s', (_, present, condition) => {
    expect(conditionsOf(hostStatus(ready, undefined, present, later))).toEqual(['Online True NodeReady', condition])
  })

  test('an operator that starts again finds nothing to write for hosts whose agent was asked', () => {
    for (const answer of [{ facts }, away]) {
      const present = hostStatus(ready, answer, undefined, now)
      expect(hostStatus(ready, undefined, present, later)).toEqual(present)
    }
  })
})

test('the role is the label, with whatever value', () => {
  const roleOf = (labels: Record<string, string>) => hostStatus(nodeOf({ labels }), undefined, undefined, now).role
  expect(roleOf({ 'node-role.kubernetes.io/control-plane': '' })).toBe('ControlPlane')
  expect(roleOf({ 'node-role.kubernetes.io/worker': '' })).toBe('Worker')
})

test('what a kubelet writes cannot make a status that the API server refuses', () => {
  const addresses = [
    ['InternalIP', 'x'.repeat(254)],
    ['T'.repeat(64), '10.0.0.9'],
    ...Array.from({ length: 40 }, (_, index) => ['InternalIP', `10.0.0.${index}`] as const),
  ] as const
  const node = nodeOf({ ready: 'True', addresses })
  const status = hostStatus(node, undefined, undefined, now)
  expect(HostStatus.parse(status)).toEqual(status)
  expect(status.addresses.length).toBe(16)
  expect(agentAddress(node)).toBe('10.0.0.0')
  const refused = { reason: 'AddressRefused', message: `the address ${'机'.repeat(2_000)} is refused` }
  expect(HostStatus.safeParse(hostStatus(node, refused, undefined, now)).error).toBeUndefined()
})
