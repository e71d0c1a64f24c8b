import type { Host, HostRequest } from '@keelson/api'
import { expect, test } from 'vitest'
import { hostOf } from '../testing/objects.ts'
import { descriptions } from './descriptions.ts'
import { OperatorMetrics } from './operator-metrics.ts'

const storeOf = (items: readonly unknown[]) => ({ list: () => items, get: () => undefined }) as never

const linesOf = async (metrics: OperatorMetrics, name: string) =>
  (await metrics.text()).split('\n').filter((line) => line.startsWith(name))

test('names are those of the field: base units, counters that end in _total', () => {
  for (const [name, { type, help }] of Object.entries(descriptions)) {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/)
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter'])
    expect([name, type === 'histogram' && !name.endsWith('_seconds')]).toEqual([name, false])
    expect(help).toMatch(/\.$/)
  }
})

test('counts, and shows outcomes that never were as 0', async () => {
  const metrics = new OperatorMetrics()
  metrics.add('keelson_deliveries_total', { outcome: 'failed' }, 2)
  metrics.observe('keelson_delivery_duration_seconds', { outcome: 'failed' }, 0.02)
  expect(await linesOf(metrics, 'keelson_deliveries_total')).toEqual([
    'keelson_deliveries_total{outcome="succeeded"} 0',
    'keelson_deliveries_total{outcome="failed"} 2',
    'keelson_deliveries_total{outcome="unknown"} 0',
  ])
  const buckets = await linesOf(metrics, 'keelson_delivery_duration_seconds_bucket')
  expect(buckets.filter((line) => /le="0.01"|le="0.025"/.test(line)).map((line) => line.split(' ')[1])).toEqual([
    ...['0', '1'],
  ])
})

test('Hosts and requests are counted when somebody asks, and only while it leads', async () => {
  const metrics = new OperatorMetrics()
  const hosts: Host[] = [hostOf({ name: 'a' }), hostOf({ name: 'b', online: false }), hostOf({ name: 'c' })]
  const requests = [{}, { status: { state: 'SUCCESS' } }, { status: { state: 'SUCCESS' } }] as HostRequest[]
  const watched = { hosts: storeOf(hosts), requests: storeOf(requests), policyMissing: () => true }
  expect(await linesOf(metrics, 'keelson_hosts{')).toEqual([])
  const watching = metrics.watch(watched)
  expect(await linesOf(metrics, 'keelson_hosts{')).toEqual([
    'keelson_hosts{online="true"} 2',
    'keelson_hosts{online="false"} 1',
  ])
  expect(await linesOf(metrics, 'keelson_hostrequests{')).toEqual([
    'keelson_hostrequests{state="PENDING"} 1',
    'keelson_hostrequests{state="RUNNING"} 0',
    'keelson_hostrequests{state="PAUSED"} 0',
    'keelson_hostrequests{state="SUCCESS"} 2',
    'keelson_hostrequests{state="ERROR"} 0',
  ])
  expect(await linesOf(metrics, 'keelson_policy_missing ')).toEqual(['keelson_policy_missing 1'])
  watching[Symbol.dispose]()
  expect(await linesOf(metrics, 'keelson_hosts{')).toEqual([])
  expect(await linesOf(metrics, 'keelson_policy_missing ')).toEqual(['keelson_policy_missing 0'])
})

test('agents are counted by version, and no more than ten versions are told apart', async () => {
  const metrics = new OperatorMetrics()
  const hostWith = (agentVersion: string, index: number): Host => {
    const host = hostOf({ name: `${agentVersion}-${index}` })
    return { ...host, status: { ...host.status!, facts: { agentVersion } as never } }
  }
  let hosts: Host[] = [hostOf({ name: 'never-answered' }), ...['2.0.0', '1.0.0', '2.0.0'].map(hostWith)]
  const store = { list: () => hosts, get: () => undefined } as never
  using _ = metrics.watch({ hosts: store, requests: storeOf([]), policyMissing: () => false })
  expect(await linesOf(metrics, 'keelson_agents{')).toEqual([
    'keelson_agents{version="2.0.0"} 2',
    'keelson_agents{version="1.0.0"} 1',
  ])
  hosts = Array.from({ length: 25 }, (_each, index) => hostWith(`3.0.${index % 13}`, index))
  const lines = await linesOf(metrics, 'keelson_agents{')
  expect(lines).toHaveLength(11)
  expect(lines.at(-1)).toBe('keelson_agents{version="other"} 5')
})
