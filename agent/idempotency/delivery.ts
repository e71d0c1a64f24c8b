import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Refusal } from '../refusal.ts'
import { orderOf, type Order } from './order.ts'

/** One write as it came in: what tells it from others, and what it is. */
export type Delivery = {
  /** Of the header Idempotency-Key: the same for each delivery of one wish. */
  readonly key?: string
  /** SHA-256 of method, target and body, in base64url. */
  readonly digest: string
  readonly order?: Order
}

/** `<run id>/<round>/<host uid>` */
const keyPattern = /^[A-Za-z0-9._~-]{1,253}\/(0|[1-9][0-9]{0,8})\/[A-Za-z0-9._~-]{1,64}$/
/** More than a run has. */
const maxEarlierRounds = 16

/** Keys of the rounds before the one of this key, the latest first; `key` is well-formed. */
export function* earlierRounds(key: string): Generator<string> {
  const [run, round, host] = key.split('/')
  const last = Number(round) - 1
  for (let earlier = last; earlier >= 0 && earlier > last - maxEarlierRounds; earlier -= 1)
    yield `${run}/${earlier}/${host}`
}

const keyHeader = 'Idempotency-Key'

/** What the headers of a write say, before its body is read. Throws 400 `IdempotencyKeyRefused`, `OrderRefused`, `OrderMissing`. */
export function deliveryHead(request: IncomingMessage, orderRequired: boolean): Omit<Delivery, 'digest'> {
  const key = request.headers[keyHeader.toLowerCase()]
  if (key !== undefined && (typeof key !== 'string' || !keyPattern.test(key))) {
    const message = `${keyHeader} is one value <run id>/<round>/<host uid> of letters, digits, . _ ~ - (run id: at most 253 characters)`
    throw new Refusal(400, 'IdempotencyKeyRefused', message, { field: keyHeader })
  }
  const order = orderOf(request.headers, orderRequired)
  return { ...(key === undefined ? {} : { key }), ...(order === undefined ? {} : { order }) }
}

export function deliveryDigest({ method, url }: IncomingMessage, body: Buffer): string {
  // Neither a method nor a target has a line break.
  return createHash('sha256').update(`${method}\n${url}\n`).update(body).digest('base64url')
}
