import { describe, expect, test } from 'vitest'
import { addressFault, canonicalAddress, listOf, type AddressRules } from './address.ts'

const rules: AddressRules = { allowLoopback: false, serviceRanges: ['10.96.0.0/16', 'fd00:10:96::/112'] }

test.each([
  ...['10.88.0.21', '192.168.1.1', '100.64.0.1', '203.0.113.7', '10.95.255.255', '10.97.0.0'],
  ...['2001:db8::1', '2001:DB8:0:0::1', 'fd00::1', '::ffff:10.0.0.1', '::ffff:a00:1', 'fd00:10:96::1:0'],
])('%s may be connected to', (address) => {
  expect(addressFault(address, rules)).toBeUndefined()
})

test.each([
  ['127.0.0.1', 'is loopback'],
  ['127.8.8.8', 'is loopback'],
  ['::1', 'is loopback'],
  ['0:0:0:0:0:0:0:1', 'is loopback'],
  ['::ffff:127.0.0.1', 'is loopback'],
  ['::FFFF:7f00:1', 'is loopback'],
  ['0:0:0:0:0:ffff:127.0.0.1', 'is loopback'],
  ['169.254.169.254', 'is link-local'],
  ['::ffff:169.254.169.254', 'is link-local'],
  ['::ffff:a9fe:a9fe', 'is link-local'],
  ['fe80::1', 'is link-local'],
  ['febf::1', 'is link-local'],
  ['224.0.0.1', 'is multicast'],
  ['239.255.255.255', 'is multicast'],
  ['ff02::1', 'is multicast'],
  ['255.255.255.255', 'is broadcast'],
  ['::ffff:255.255.255.255', 'is broadcast'],
  ['240.0.0.1', 'is reserved'],
  ['0.0.0.0', 'is unspecified'],
  ['0.1.2.3', 'is unspecified'],
  ['::', 'is unspecified'],
  ['::ffff:0.0.0.0', 'is unspecified'],
  ['::127.0.0.1', 'is IPv4 in IPv6'],
  ['64:ff9b::a9fe:a9fe', 'is IPv4 in IPv6'],
  ['64:ff9b::127.0.0.1', 'is IPv4 in IPv6'],
  ['64:ff9b:1::1', 'is IPv4 in IPv6'],
  ['2002:7f00:1::', 'is IPv4 in IPv6'],
  ['10.96.0.1', "is in the range of the cluster's Services"],
  ['10.96.255.255', "is in the range of the cluster's Services"],
  ['::ffff:10.96.0.1', "is in the range of the cluster's Services"],
  ['fd00:10:96::1', "is in the range of the cluster's Services"],
  ...[
    ...['localhost', '', ' ', '2130706433', '0x7f000001', '0x7f.1', '127.1', '0177.0.0.1', '010.0.0.1', '10.0.0.01'],
    ...['10.0.0.1/8', '10.0.0.1:80', '10.0.0.1 ', '[::1]', '2001:db8::1%eth0', 'fe80::1%1', '1.2.3.4.5', '１０.0.0.1'],
    ...['http://evil.example', '10.0.0.1#', '::ffff:0177.0.0.1'],
  ].map((address): readonly [string, string] => [address, 'is no IP address']),
] as readonly (readonly [string, string])[])('%s %s', (address, fault) => {
  expect(addressFault(address, rules)).toBe(fault)
})

test('a test bed may allow loopback, and nothing else by that', () => {
  const loose = { ...rules, allowLoopback: true }
  for (const address of ['127.0.0.1', '::1', '::ffff:127.9.9.9']) expect(addressFault(address, loose)).toBeUndefined()
  for (const address of ['169.254.169.254', '::127.0.0.1', '10.96.0.1', '::'])
    expect(addressFault(address, loose)).toBeDefined()
})

test.each([
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['10.0.0.1', '10.0.0.1'],
  ['010.0.0.1', undefined],
])('%s is written %s', (address, canonical) => {
  expect(canonicalAddress(address)).toBe(canonical)
})

describe('a range', () => {
  test.each(['10.96.0.0', '10.96.0.0/33', 'services/16', '10.96.0.0/-1', '10.96.0.0/16/8x', ''])(
    'is not %s',
    (range) => {
      expect(() => listOf([range])).toThrow('is no range of addresses')
    },
  )
})
