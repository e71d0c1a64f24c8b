import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { answerText } from './answer-text.ts'

const bytes = (text: string) => Buffer.from(text)

test.each([
  ['', ''],
  ['{"a": "b"}\n', '{"a": "b"}'],
  ['\u001b[31mred\u001b[0m\r\n\tnext', '[31mred [0m next'],
  ['a\u0000b\u202ec', 'a b c'],
])('%j is shown as %j', (body, shown) => {
  expect(answerText(bytes(body))).toBe(shown)
})

test('what is no UTF-8 is shown as that', () => {
  expect(answerText(Uint8Array.of(0x61, 0xff, 0xc3, 0x62))).toBe('a\ufffd\ufffdb')
})

test('any bytes come to at most 256 bytes of JSON that no terminal obeys', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (body) => {
      const shown = answerText(body)
      expect(Buffer.byteLength(JSON.stringify(shown)) - 2).toBeLessThanOrEqual(256)
      expect(shown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u)
      expect(shown.isWellFormed()).toBe(true)
    }),
  )
})

test('1 MB is shown by its beginning', () => {
  expect(answerText(Buffer.alloc(1_000_000, 'x'))).toBe(`${'x'.repeat(253)}…`)
})

test('a secret is replaced before anything is cut, so that no part of it is left', () => {
  const secret = 'hunter2-'.repeat(20)
  const redact = (text: string) => text.replaceAll(secret, '[redacted]')
  fc.assert(
    fc.property(fc.nat(6_000), (before) => {
      const shown = answerText(bytes(`${'\0'.repeat(before)}${secret} end`), redact)
      expect(shown).toBe('[redacted] end')
    }),
  )
})

test('thousands of long answers hold no more memory than what is shown of them', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const used = () => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = used()
  const kept = Array.from({ length: 2_000 }, (_, index) => {
    const body = Buffer.alloc(64 * 1024, `answer ${index} `)
    return [answerText(body), answerText(body, (text) => text)]
  })
  // 128 MiB of text went through, and would be held by strings that are parts of it.
  expect(used() - before).toBeLessThan(8 * 1024 * 1024)
  expect(kept).toHaveLength(2_000)
})
