import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { deliveryDigest, deliveryHead } from './delivery.ts'
import { isLater } from './order.ts'

const head = (headers: IncomingHttpHeaders, orderRequired = false) =>
  deliveryHead({ headers } as IncomingMessage, orderRequired)
const order = (epoch: string, sequence: string) => ({ 'keelson-epoch': epoch, 'keelson-sequence': sequence })
const uid = '5c1f0b1e-9a7c-4f5e-8a56-2b7a0e4a9d11'
const refused = (code: string, field: string) => expect.objectContaining({ status: 400, code, field }) as Error

describe('Idempotency-Key', () => {
  test.each([`${uid}-1-/0/${uid}`, `${uid}-9007199254740991-a.b_c~d/999999999/node1`, `${'r'.repeat(253)}/0/h`])(
    'takes %s',
    (key) => {
      expect(head({ 'idempotency-key': key })).toEqual({ key })
    },
  )

  test.each([
    '',
    'run',
    'run/0',
    'run/0/host/more',
    '/0/host',
    'run//host',
    'run/0/',
    'run/-1/host',
    'run/01/host',
    'run/1e3/host',
    'run/9999999999/host',
    'run/0/ho st',
    'run/0/hôst',
    '"run/0/host"',
    'run/0/host, run/1/host',
    `${'r'.repeat(254)}/0/h`,
    `r/0/${'h'.repeat(65)}`,
  ])('refuses %j', (key) => {
    expect(() => head({ 'idempotency-key': key })).toThrow(refused('IdempotencyKeyRefused', 'Idempotency-Key'))
  })
})

describe('Keelson-Epoch and Keelson-Sequence', () => {
  test('are two integers', () => {
    expect(head(order('0', '0'))).toEqual({ order: { epoch: 0, sequence: 0 } })
    expect(head(order('7', '9007199254740991'))).toEqual({ order: { epoch: 7, sequence: 9_007_199_254_740_991 } })
  })

  test.each(['', ' 1', '-1', '+1', '1.0', '1e3', '0x1', '01', '9007199254740992', '99999999999999999', '1, 2', '१'])(
    'are not %j',
    (text) => {
      expect(() => head(order(text, '1'))).toThrow(refused('OrderRefused', 'Keelson-Epoch'))
      expect(() => head(order('1', text))).toThrow(refused('OrderRefused', 'Keelson-Sequence'))
    },
  )

  test('come together or not at all, and come where they are required', () => {
    expect(head({})).toEqual({})
    expect(() => head({ 'keelson-epoch': '1' })).toThrow(refused('OrderMissing', 'Keelson-Sequence'))
    expect(() => head({ 'keelson-sequence': '1' })).toThrow(refused('OrderMissing', 'Keelson-Epoch'))
    expect(() => head({}, true)).toThrow(refused('OrderMissing', 'Keelson-Epoch'))
    expect(head(order('1', '2'), true)).toEqual({ order: { epoch: 1, sequence: 2 } })
  })

  test('the epoch decides, then the sequence; equal is not later', () => {
    const at = (epoch: number, sequence: number) => ({ epoch, sequence })
    expect(isLater(at(1, 0), at(0, 9))).toBe(true)
    expect(isLater(at(0, 9), at(1, 0))).toBe(false)
    expect(isLater(at(1, 2), at(1, 1))).toBe(true)
    expect(isLater(at(1, 1), at(1, 1))).toBe(false)
  })
})

test('another method, target or body is another digest', () => {
  const digest = (method: string, url: string, body: string) =>
    deliveryDigest({ method, url } as IncomingMessage, Buffer.from(body))
  const all = [
    digest('POST', '/v1/sysctl', '{}'),
    digest('PUT', '/v1/sysctl', '{}'),
    digest('POST', '/v1/hostname', '{}'),
    digest('POST', '/v1/sysctl', '{ }'),
  ]
  expect(new Set(all).size).toBe(all.length)
  expect(digest('POST', '/v1/sysctl', '{}')).toBe(all[0])
})
