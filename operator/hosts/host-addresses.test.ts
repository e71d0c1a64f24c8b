import type { Node } from '@keelson/kube'
import { beforeEach, expect, test } from 'vitest'
import { HostAddresses, type ClusterAddresses } from './host-addresses.ts'

let cluster: ClusterAddresses
let addresses: HostAddresses

beforeEach(() => {
  cluster = { serviceRanges: ['10.96.0.0/16'], apiServers: new Set(['10.0.0.10']) }
  addresses = new HostAddresses(false, () => cluster)
})

const nodeOf = (name: string, address: string | undefined, labels: Record<string, string> = {}): Node => ({
  metadata: { name, labels },
  status: {
    addresses: [
      { type: 'Hostname', address: name },
      ...(address === undefined ? [] : [{ type: 'InternalIP', address }]),
    ],
  },
})
const controlPlane = { 'node-role.kubernetes.io/control-plane': '' }

test('an address of its own may be connected to', () => {
  addresses.set(nodeOf('worker-1', '10.0.0.1'))
  expect(addresses.refuse('worker-1', '10.0.0.1')).toBeUndefined()
})

test('none is no address', () => {
  expect(addresses.refuse('worker-1', undefined)).toBe('the Host has no InternalIP')
})

test('what no host can have is refused, and said why', () => {
  addresses.set(nodeOf('worker-1', '10.96.0.1'))
  expect(addresses.refuse('worker-1', '10.96.0.1')).toBe(
    "the address 10.96.0.1 is refused: it is in the range of the cluster's Services, so no host's own",
  )
  cluster = { ...cluster, serviceRanges: [] }
  expect(addresses.refuse('worker-1', '10.96.0.1')).toBeUndefined()
})

test.each(['10.0.0.10', '::ffff:10.0.0.10'])("%s, an API server's, is a control-plane Host's alone", (address) => {
  addresses.set(nodeOf('worker-1', address))
  expect(addresses.refuse('worker-1', address)).toBe(
    `the address ${address} is refused: it is an API server's, and the Host has not the control-plane role`,
  )
  addresses.set(nodeOf('worker-1', address, controlPlane))
  expect(addresses.refuse('worker-1', address)).toBeUndefined()
  addresses.set(nodeOf('worker-1', address))
  expect(addresses.refuse('worker-1', address)).toBeDefined()
})

test('an address that two have is refused for both, however it is written, until one gives it up', () => {
  addresses.set(nodeOf('worker-1', '10.0.0.1'))
  addresses.set(nodeOf('worker-2', '::ffff:10.0.0.1'))
  const has = (name: string) => `is refused: the Host ${name} has it too`
  expect(addresses.refuse('worker-1', '10.0.0.1')).toBe(`the address 10.0.0.1 ${has('worker-2')}`)
  expect(addresses.refuse('worker-2', '::ffff:10.0.0.1')).toBe(`the address ::ffff:10.0.0.1 ${has('worker-1')}`)
  addresses.set(nodeOf('worker-3', '10.0.0.1'))
  expect(addresses.refuse('worker-3', '10.0.0.1')).toContain('the Host worker-1 and others has it too')
  addresses.delete('worker-3')
  addresses.set(nodeOf('worker-2', '10.0.0.2'))
  expect(addresses.refuse('worker-1', '10.0.0.1')).toBeUndefined()
  expect(addresses.refuse('worker-2', '10.0.0.2')).toBeUndefined()
})

test('the address of a Node counts, not the one that a Host has still from before', () => {
  addresses.set(nodeOf('worker-1', '10.0.0.1'))
  addresses.set(nodeOf('worker-2', '10.0.0.2'))
  // worker-2's Host has not followed yet.
  expect(addresses.refuse('worker-2', '10.0.0.1')).toContain('the Host worker-1 has it too')
})

test('a test bed may have hosts that are one machine', () => {
  const loose = new HostAddresses(true, () => cluster)
  for (const name of ['worker-1', 'worker-2']) loose.set(nodeOf(name, '127.0.0.1'))
  expect(loose.refuse('worker-1', '127.0.0.1')).toBeUndefined()
  for (const name of ['worker-1', 'worker-2']) loose.set(nodeOf(name, '10.0.0.1'))
  expect(loose.refuse('worker-1', '10.0.0.1')).toBeDefined()
})
