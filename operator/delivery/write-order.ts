/**
 * The place of this operator's writes among all writes to agents: by epoch, one per leadership, and within an epoch by sequence. An agent takes
 * none that is not later than all before, so whatever a leader of the past still sends is refused.
 */
export class WriteOrder {
  readonly epoch: number
  #sequence = 0

  constructor(epoch: number) {
    this.epoch = epoch
  }

  /** For one write, sent once: sent again it needs new ones. Names in small letters. */
  headers(): Readonly<Record<string, string>> {
    this.#sequence += 1
    return { 'keelson-epoch': String(this.epoch), 'keelson-sequence': String(this.#sequence) }
  }

  /** An agent has seen this one of our epoch: of an earlier process, or one that overtook another. The next is later. */
  pass(sequence: number): void {
    this.#sequence = Math.max(this.#sequence, sequence)
  }
}
