import { posix } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseSysctlKey } from './sysctl-key.ts'

describe('parseSysctlKey', () => {
  test.each([
    ['net.ipv4.ip_forward', 'net.ipv4.ip_forward', 'net/ipv4/ip_forward'],
    ['net/ipv4/ip_forward', 'net.ipv4.ip_forward', 'net/ipv4/ip_forward'],
    ['net.ipv4.conf.eth0/100.rp_filter', 'net.ipv4.conf.eth0/100.rp_filter', 'net/ipv4/conf/eth0.100/rp_filter'],
    ['net/ipv4/conf/eth0.100/rp_filter', 'net.ipv4.conf.eth0/100.rp_filter', 'net/ipv4/conf/eth0.100/rp_filter'],
  ])('%s', (text, name, path) => {
    expect(parseSysctlKey(text)).toEqual({ name, path })
  })

  test.each([
    '',
    '.',
    '/',
    '..',
    '/net/ipv4',
    '.net.ipv4',
    'net..ipv4',
    'net//ipv4',
    'net.ipv4.',
    'net/../../../etc/passwd',
    'net/./ipv4',
    'net.//.ipv4',
    'net.ipv4.conf.*.rp_filter',
    'net.ipv4 .ip_forward',
    'net.ipv4\n.ip_forward',
    'net.ipv4\0.ip_forward',
    '-net.ipv4.ip_forward',
    `net.${'a'.repeat(250)}`,
  ])('refuses %j', (text) => {
    expect(parseSysctlKey(text)).toBeUndefined()
  })

  test('never leaves /proc/sys, whatever the text', () => {
    const text = fc
      .array(fc.constantFrom('.', '/', 'a', 'net', '0', '_', '-', '*', '\\', '\0', ' '))
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: 'binary' })), (any) => {
        const key = parseSysctlKey(any)
        if (key === undefined) return
        expect(posix.normalize(`/proc/sys/${key.path}`)).toBe(`/proc/sys/${key.path}`)
        expect(key.path.split('/')).not.toContain('')
      }),
      { numRuns: 1_000 },
    )
  })

  test('has one name for every spelling, and the name reads back as itself', () => {
    const first = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/)
    const other = fc.stringMatching(/^[a-z0-9_][a-z0-9_.:@+-]{0,14}$/)
    fc.assert(
      fc.property(first, fc.array(other, { minLength: 1, maxLength: 6 }), (head, tail) => {
        const path = [head, ...tail].join('/')
        const key = parseSysctlKey(path)
        expect(key?.path).toBe(path)
        expect(parseSysctlKey(key?.name ?? '')).toEqual(key)
      }),
    )
  })
})
