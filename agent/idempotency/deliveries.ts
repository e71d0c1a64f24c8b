import type { AgentError } from '@keelson/api'
import { ResourceError } from '@keelson/engine'
import type { Logger } from 'pino'
import { refused, success, type Answer } from '../answer.ts'
import { Refusal, refusalFor } from '../refusal.ts'
import type { Signals } from '../signals.ts'
import type { WriteQueue } from '../write-queue.ts'
import type { DeliveryRecords } from './delivery-records.ts'
import { earlierRounds, type Delivery } from './delivery.ts'
import { isLater, type Order } from './order.ts'
import type { DeliveryRecord } from './record.ts'

/** Of 10,000 answers none may be long. A change of ten sysctls fits. */
export const maxRecordedBytes = 1024

/**
 * Each write once: what has an Idempotency-Key that was seen before is answered from the record, and what comes later than a write that was
 * meant to follow it is refused.
 *
 * After IETF draft-ietf-httpapi-idempotency-key-header, with an outcome more: an act that the agent did not see the end of is not repeated.
 * To set a sysctl twice would do no harm, but `restarted` twice is two restarts, and only the caller knows which of the two it asked for.
 */
export class Deliveries {
  readonly #records: DeliveryRecords
  readonly #logger: Logger
  /** Digests by key: of those that wait for their turn, too. */
  readonly #inFlight = new Map<string, string>()
  /** In memory ahead of the record, which has it when the act begins. */
  #highest: Order | undefined

  /** @param records loaded */
  constructor(records: DeliveryRecords, logger: Logger) {
    this.#records = records
    this.#logger = logger
    this.#highest = records.highest
  }

  /**
   * Waits for its turn in `queue`, puts the intent on disk, acts, and records the answer.
   *
   * Throws, with nothing done: 422 `IdempotencyKeyReused`; 409 `InFlight`, `Superseded`; 507 `NoSpace` or 500 `NotRecorded` where the intent cannot
   * be recorded; and what the queue throws. What the act throws is an answer like any other.
   */
  async answer(
    delivery: Delivery,
    queue: WriteQueue,
    act: () => Promise<object>,
    { gone, stop }: Signals,
  ): Promise<Answer> {
    const { key, digest, order } = delivery
    // Nothing is awaited from here to where the key is in flight: of two deliveries at once one finds the other.
    const record = key === undefined ? undefined : this.#find(key, digest)
    if (record !== undefined) return this.#replay(record)
    this.#admit(order)
    if (key !== undefined) this.#inFlight.set(key, digest)
    try {
      return await queue.run(async () => {
        stop.throwIfAborted()
        await this.#begin(delivery)
        return key === undefined ? this.#act(act) : this.#keep(key, await this.#act(act, stop))
      }, gone)
    } finally {
      if (key !== undefined) this.#inFlight.delete(key)
    }
  }

  #find(key: string, digest: string): DeliveryRecord | undefined {
    const record = this.#records.find(key)
    const seen = this.#inFlight.get(key) ?? record?.digest
    if (seen !== undefined && seen !== digest) {
      throw new Refusal(
        422,
        'IdempotencyKeyReused',
        'this key was given with another request; a new wish has a new key',
      )
    }
    if (!this.#inFlight.has(key)) return record ?? this.#earlierRound(key, digest)
    throw inFlight()
  }

  /**
   * What an earlier round of the same run did here, unless it failed. The operator sends again only where failure is certain; should it be wrong, nothing is done a second time.
   */
  #earlierRound(key: string, digest: string): DeliveryRecord | undefined {
    for (const earlier of earlierRounds(key)) {
      if (this.#inFlight.get(earlier) === digest) throw inFlight()
      const record = this.#records.find(earlier)
      if (record?.digest !== digest) continue
      if (record.answer === undefined || record.answer.status < 300 || isUnknown(record.answer)) return record
    }
    return undefined
  }

  async #replay({ key, answer }: DeliveryRecord): Promise<Answer> {
    const recorded = answer ?? (await this.#keep(key, outcomeUnknown))
    return { ...recorded, headers: { 'idempotency-replayed': 'true' } }
  }

  #admit(order: Order | undefined): void {
    if (order === undefined) return
    if (this.#highest !== undefined && !isLater(order, this.#highest)) throw superseded(this.#highest)
    this.#highest = order
  }

  async #begin({ key, digest, order }: Delivery): Promise<void> {
    // A new leader's write may have gone ahead of this one in another queue. Of one leader the order was settled at arrival.
    if (order !== undefined && this.#highest !== undefined && order.epoch < this.#highest.epoch) {
      throw superseded(this.#highest)
    }
    if (key === undefined && order === undefined) return
    try {
      await this.#records.intend(this.#highest, key === undefined ? undefined : { key, digest })
    } catch (error) {
      if (!(error instanceof ResourceError)) throw error
      this.#logger.error({ code: error.code, reason: error.message }, 'intent not recorded: write refused')
      const message = `nothing was done, as it could not be recorded: ${error.message}`
      if (error.code === 'NoSpace') throw new Refusal(507, 'NoSpace', message)
      throw new Refusal(500, 'NotRecorded', message)
    }
  }

  /** @param stop given where an act that it ends is not to be told from one that succeeded */
  async #act(act: () => Promise<object>, stop?: AbortSignal): Promise<Answer> {
    try {
      return success(await act())
    } catch (error) {
      return stop?.aborted === true ? outcomeUnknown : refused(refusalFor(error, this.#logger))
    }
  }

  async #keep(key: string, answer: Answer): Promise<Answer> {
    const length = Buffer.byteLength(answer.body)
    const body = length <= maxRecordedBytes ? answer.body : JSON.stringify(tooLong(length))
    try {
      await this.#records.answer(key, { status: answer.status, body })
    } catch (error) {
      // The act is done: its answer is worth more to the caller than a refusal. Until the agent's end it is given again, too.
      this.#logger.error({ err: error }, 'answer not recorded')
    }
    return answer
  }
}

/** For ever, also if the agent later could find out: an answer that was given once is given again. */
const outcomeUnknown = refused(
  new Refusal(
    409,
    'OutcomeUnknown',
    'the agent was ended while it did this, and does not do it again: read the state of the host, then send the wish with a new key',
  ),
)

function isUnknown({ body }: NonNullable<DeliveryRecord['answer']>): boolean {
  return body === outcomeUnknown.body
}

function inFlight(): Refusal {
  const message = 'the request with this key is in hand: ask again for its answer'
  return new Refusal(409, 'InFlight', message, { headers: { 'retry-after': '1' } })
}

function superseded({ epoch, sequence }: Order): Refusal {
  return new Refusal(
    409,
    'Superseded',
    `nothing was done: a write with epoch ${epoch}, sequence ${sequence} came before`,
    { headers: { 'keelson-epoch': String(epoch), 'keelson-sequence': String(sequence) } },
  )
}

function tooLong(bytes: number): AgentError {
  return { code: 'AnswerNotKept', message: `the answer of ${bytes} bytes was given once and is too long to be kept` }
}
