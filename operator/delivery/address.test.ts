import { expect, test } from 'vitest'
import { addressCheck } from './address.ts'

const mayConnect = addressCheck({ allowLoopback: false })

test.each(['10.88.0.21', '192.168.1.1', '203.0.113.7', '2001:db8::1', 'fd00::1', '::ffff:10.0.0.1'])(
  '%s may be connected to',
  (address) => {
    expect(mayConnect(address)).toBe(true)
  },
)

test.each([
  ...['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1'],
  ...[
    '169.254.169.254',
    '::ffff:169.254.169.254',
    'fe80::1',
    '224.0.0.1',
    '255.255.255.255',
    'ff02::1',
    '0.0.0.0',
    '::',
  ],
  ...['localhost', '', '2130706433', '0x7f.1', '0177.0.0.1', '10.0.0.1/8', '10.0.0.1:80'],
  ...['2001:db8::1%eth0', 'fe80::1%1', '64:ff9b::a9fe:a9fe', '64:ff9b::7f00:1'],
])('%s is refused', (address) => {
  expect(mayConnect(address)).toBe(false)
})

test('a test bed may allow loopback, and nothing else by that', () => {
  const check = addressCheck({ allowLoopback: true })
  expect(check('127.0.0.1')).toBe(true)
  expect(check('169.254.169.254')).toBe(false)
})
