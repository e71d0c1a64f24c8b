import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { Refusal } from '../refusal.ts'

const counter = z.int().min(0)

/** The place of a write among all writes: by epoch (one per leader of the operator), within an epoch by sequence. */
export const Order = z.object({ epoch: counter, sequence: counter })
export type Order = z.infer<typeof Order>

export function isLater(order: Order, than: Order): boolean {
  return order.epoch === than.epoch ? order.sequence > than.sequence : order.epoch > than.epoch
}

const epochHeader = 'Keelson-Epoch'
const sequenceHeader = 'Keelson-Sequence'

/** What a write says of its order; `undefined` where it says nothing. Throws 400 `OrderRefused`, or `OrderMissing` where it is required. */
export function orderOf(headers: IncomingHttpHeaders, required: boolean): Order | undefined {
  const epoch = count(headers, epochHeader)
  const sequence = count(headers, sequenceHeader)
  if (epoch !== undefined && sequence !== undefined) return { epoch, sequence }
  if (epoch === undefined && sequence === undefined && !required) return undefined
  const missing = epoch === undefined ? epochHeader : sequenceHeader
  throw new Refusal(400, 'OrderMissing', `a write bears ${epochHeader} and ${sequenceHeader}`, { field: missing })
}

function count(headers: IncomingHttpHeaders, name: string): number | undefined {
  const text = headers[name.toLowerCase()]
  if (text === undefined) return undefined
  const value = typeof text === 'string' && /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : undefined
  if (value !== undefined && Number.isSafeInteger(value)) return value
  throw new Refusal(400, 'OrderRefused', `${name} is one integer from 0 to 2^53 - 1`, { field: name })
}
