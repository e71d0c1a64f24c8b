import type { AppendFile } from '@keelson/engine'
import { isLater, type Order } from './order.ts'
import { decodeLog, encodeLine, type DeliveryRecord, type LogLine } from './record.ts'

export type RecordFile = Pick<AppendFile, 'read' | 'replace' | 'append' | 'sync'>

export type RecordLimits = {
  readonly keys: number
  readonly ageMs: number
  /** Below this the file is not worth writing anew. */
  readonly rewriteBytes: number
}

const defaultLimits: RecordLimits = { keys: 10_000, ageMs: 7 * 24 * 3_600_000, rewriteBytes: 1024 * 1024 }

/**
 * What the agent remembers of the writes that it was given, over restarts and power cuts: one log that is appended to, and written anew
 * with what still holds when it is opened, when half of it is superseded, and after a failure.
 */
export class DeliveryRecords {
  readonly #file: RecordFile
  readonly #now: () => number
  readonly #limits: RecordLimits
  /** Oldest first. */
  readonly #deliveries = new Map<string, DeliveryRecord>()
  #highest: Order | undefined
  #bytes = 0
  #rewriteAtBytes = 0
  /** What the file holds is not known to be what is here. */
  #stale = true
  #turn: Promise<void> = Promise.resolve()

  /** @param now milliseconds since 1970, of a clock that is not set while the agent runs */
  constructor(file: RecordFile, now: () => number, limits: RecordLimits = defaultLimits) {
    this.#file = file
    this.#now = now
    this.#limits = limits
  }

  /** Comes first. Throws `ResourceError` where the file cannot be read. */
  async load(): Promise<{ readonly keys: number; readonly damagedLines: number }> {
    const { lines, damaged } = decodeLog(await this.#file.read())
    for (const line of lines) this.#take(line)
    this.#forget(this.#now())
    return { keys: this.#deliveries.size, damagedLines: damaged }
  }

  find(key: string): DeliveryRecord | undefined {
    return this.#deliveries.get(key)
  }

  get highest(): Order | undefined {
    return this.#highest
  }

  /** On disk, power cut or not, when it resolves. Throws `ResourceError`; then nothing is remembered. */
  async intend(order: Order | undefined, delivery: Pick<DeliveryRecord, 'key' | 'digest'> | undefined): Promise<void> {
    const at = this.#now()
    await this.#write({ ...(order && { order }), ...(delivery && { delivery: { ...delivery, at } }) }, true)
    this.#forget(at)
  }

  /**
   * Written, but not forced to disk: it survives the agent's end, and a power cut some seconds later. An answer that was lost with the power
   * is an outcome that nobody knows, and never an act that is done again. Throws `ResourceError`; remembered it is all the same.
   */
  async answer(key: string, answer: NonNullable<DeliveryRecord['answer']>): Promise<void> {
    const intent = this.#deliveries.get(key)
    if (intent === undefined) return
    const delivery = { ...intent, answer }
    this.#take({ delivery })
    await this.#write({ delivery }, false)
  }

  /** One at a time: appends do not mix, and a rewrite misses none. */
  async #write(line: LogLine, durable: boolean): Promise<void> {
    const before = this.#turn
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#turn = promise
    await before
    try {
      await this.#writeNow(line, durable)
      this.#take(line)
    } finally {
      resolve()
    }
  }

  async #writeNow(line: LogLine, durable: boolean): Promise<void> {
    if (this.#stale || this.#bytes > this.#rewriteAtBytes) await this.#rewrite()
    const bytes = encodeLine(line)
    // A failure leaves a part of a line, or bytes that the kernel has dropped without a word at the next sync: start from a new file then.
    this.#stale = true
    await this.#file.append(bytes)
    if (durable) await this.#file.sync()
    this.#stale = false
    this.#bytes += bytes.length
  }

  async #rewrite(): Promise<void> {
    const lines: LogLine[] = [...this.#deliveries.values()].map((delivery) => ({ delivery }))
    if (this.#highest !== undefined) lines.unshift({ order: this.#highest })
    const content = Buffer.concat(lines.map(encodeLine))
    this.#stale = true
    await this.#file.replace(content)
    this.#stale = false
    this.#bytes = content.length
    this.#rewriteAtBytes = Math.max(2 * content.length, this.#limits.rewriteBytes)
  }

  #take({ order, delivery }: LogLine): void {
    if (order !== undefined && (this.#highest === undefined || isLater(order, this.#highest))) this.#highest = order
    if (delivery !== undefined) this.#deliveries.set(delivery.key, delivery)
  }

  #forget(now: number): void {
    for (const { key, at } of this.#deliveries.values()) {
      if (this.#deliveries.size <= this.#limits.keys && now - at <= this.#limits.ageMs) return
      this.#deliveries.delete(key)
    }
  }
}
