import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeLog, encodeLine, type LogLine } from './record.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const counter = fc.maxSafeNat()
const line: fc.Arbitrary<LogLine> = fc.record(
  {
    order: fc.record({ epoch: counter, sequence: counter }, { noNullPrototype: true }),
    delivery: fc.record(
      {
        key: text,
        digest: text,
        at: counter,
        answer: fc.record({ status: fc.integer({ min: 200, max: 599 }), body: text }, { noNullPrototype: true }),
      },
      { requiredKeys: ['key', 'digest', 'at'], noNullPrototype: true },
    ),
  },
  { requiredKeys: [], noNullPrototype: true },
)

test('what is written is read again', () => {
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      expect(decodeLog(Buffer.concat(lines.map(encodeLine)))).toEqual({ lines, damaged: 0 })
    }),
  )
})

test('cut off anywhere, the lines before the cut are read', () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), fc.double({ min: 0, max: 1, noNaN: true }), (lines, part) => {
      const encoded = lines.map(encodeLine)
      const log = Buffer.concat(encoded)
      const cut = Math.floor(log.length * part)
      let end = 0
      const whole = encoded.filter((bytes) => (end += bytes.length) <= cut).length
      expect(decodeLog(log.subarray(0, cut))).toEqual({ lines: lines.slice(0, whole), damaged: 0 })
    }),
  )
})

test('one wrong byte costs its line, and none is read as something else', () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (lines, at, flip) => {
      const log = Buffer.concat(lines.map(encodeLine))
      const index = at % log.length
      log[index] = log[index]! ^ flip
      const { lines: read } = decodeLog(log)
      expect(read.length).toBeLessThan(lines.length)
      const written = lines.map((each) => JSON.stringify(each))
      for (const each of read) expect(written).toContain(JSON.stringify(each))
    }),
  )
})
