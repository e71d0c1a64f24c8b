import { crc32 } from 'node:zlib'
import { z } from 'zod'
import { Order } from './order.ts'

/** What is known of one Idempotency-Key. Without an answer it is the intent alone. */
export const DeliveryRecord = z.object({
  key: z.string(),
  digest: z.string(),
  /** Milliseconds since 1970. */
  at: z.number(),
  answer: z.object({ status: z.int(), body: z.string() }).optional(),
})
export type DeliveryRecord = z.infer<typeof DeliveryRecord>

/** One line of the log: the highest order so far, what is now known of a key, or both. The later line holds. */
export const LogLine = z.object({ order: Order.optional(), delivery: DeliveryRecord.optional() })
export type LogLine = z.infer<typeof LogLine>

const newline = 0x0a
const checksumLength = 8

/** `<CRC-32 in hexadecimal> <JSON>` and a line feed, which JSON itself never holds. */
export function encodeLine(line: LogLine): Buffer {
  const json = Buffer.from(JSON.stringify(line))
  return Buffer.concat([Buffer.from(`${checksum(json)} `), json, Buffer.from([newline])])
}

export type DecodedLog = {
  readonly lines: readonly LogLine[]
  /** Lines that are not as they were written; the last one, where it has no end, was never promised to anybody and is not counted. */
  readonly damaged: number
}

export function decodeLog(log: Buffer): DecodedLog {
  const lines: LogLine[] = []
  let damaged = 0
  let start = 0
  for (let end = log.indexOf(newline); end !== -1; end = log.indexOf(newline, start)) {
    const line = decodeLine(log.subarray(start, end))
    if (line === undefined) damaged++
    else lines.push(line)
    start = end + 1
  }
  return { lines, damaged }
}

function decodeLine(bytes: Buffer): LogLine | undefined {
  const json = bytes.subarray(checksumLength + 1)
  if (bytes.toString('latin1', 0, checksumLength + 1) !== `${checksum(json)} `) return undefined
  try {
    return LogLine.safeParse(JSON.parse(json.toString())).data
  } catch {
    return undefined
  }
}

function checksum(bytes: Buffer): string {
  return crc32(bytes).toString(16).padStart(checksumLength, '0')
}
