import { IndexSet } from '@keelson/api'
import { decide, type Circumstances, type FinishReason, type PauseReason, type RunPolicy } from './decide.ts'
import { recovered, sameRecord, settled, withResults, type Results, type RunRecord } from './run-record.ts'

/** Where the record of one run is kept, with a precondition on each write. */
export interface RunStore {
  /** Undefined once the run is not the object's any more. */
  read(signal: AbortSignal): Promise<Stored | undefined>
  /**
   * @param word where the run ends or halts with this.
   * @returns the new version.
   * @throws where `version` is not the present one, or the outcome is not known.
   */
  write(record: RunRecord, version: string, signal: AbortSignal, word?: Word): Promise<string>
}

export type Stored = {
  readonly record: RunRecord
  readonly version: string
  /** What the run came to, or halts at; undefined while it is under way. */
  readonly word: Word['kind'] | undefined
}

export type Finish = {
  readonly reason: FinishReason
  /** Targets that were not sent to, because the run ended before; they are among the skipped. */
  readonly unsent: IndexSet
}

/** What is written of a run that nobody is carrying on at present. */
export type Word = ({ readonly kind: 'finished' } & Finish) | { readonly kind: 'paused'; readonly reason: PauseReason }

export type Sent = 'succeeded' | 'failed' | 'unknown'

export type RunPorts = Circumstances & {
  readonly store: RunStore
  /** Sends the request of this round to one target, once. Throws only when the signal is aborted. */
  readonly send: (index: number, round: number, signal: AbortSignal) => Promise<Sent>
  /** Resolves when the world may have changed: a target came back. */
  readonly changed: (signal: AbortSignal) => Promise<void>
  /** Resolves when this round may begin. */
  readonly backOff: (round: number, signal: AbortSignal) => Promise<void>
  /** Resolves when progress may be written again; asked only where nothing is claimed. */
  readonly progressDue: (signal: AbortSignal) => Promise<void>
  /** Resolves when a store that failed may be asked again; `attempt` counts from 1. */
  readonly storeBackOff: (attempt: number, signal: AbortSignal) => Promise<void>
  /** Aborted when the run is to come to rest: nothing more is begun, what is under way may end, and what is known is written down. */
  readonly resting: AbortSignal
  /** Aborted when what is under way in a run that comes to rest is broken off; what was claimed for it stays claimed. */
  readonly cutOff: AbortSignal
}

export type RunOptions = {
  /** Asked before each step: whoever asked for the run may change thresholds under way. */
  readonly policy: () => RunPolicy
  readonly parallelism: number
  /**
   * Whether a target must be written down before it is sent to: for an unsafe method to a receiver that does not know a repeated request
   * for one. Without claims what was under way at a crash is sent again, under the same key.
   */
  readonly claims: boolean
  readonly onUnknown: 'Fail' | 'Resend'
  /** Number of this leadership. */
  readonly epoch: number
}

export type RunEnd =
  | (Word & { readonly record: RunRecord })
  /**
   * The record is not what this leadership left or found: another leader has the run, a late write of an earlier one came in between, or
   * the object was deleted or its spec changed. Nothing that was sent is forgotten by beginning again from a fresh read, and that is
   * what a leader does.
   */
  | { readonly kind: 'lost' }
  /** The run came to rest, as it was told to. Its record tells whoever carries it on all that is known. */
  | { readonly kind: 'resting' }

/**
 * Carries a run on from its record to its end, or to where it is to halt; from there it is carried on by calling this again.
 *
 * The order is: write the claim, send, commit the outcomes together with the next claim. Nothing is sent before the write that claims it
 * has come back, so at every moment the record names a superset of what may have been executed.
 *
 * @throws the reason of `signal` once that is aborted.
 */
export async function carryOut(options: RunOptions, ports: RunPorts, signal: AbortSignal): Promise<RunEnd> {
  const { epoch, onUnknown, claims } = options
  const ledger = await Ledger.open(ports, epoch, signal)
  if (ledger === undefined) return { kind: 'lost' }
  let record = recovered(ledger.written, epoch, onUnknown)
  const waiting = AbortSignal.any([signal, ports.resting])
  for (;;) {
    if (ports.resting.aborted) {
      // Where this leadership has written nothing, it has sent nothing either, and knows no more than is written.
      const told = !ledger.begun || (await ledger.write(record, signal))
      return { kind: told ? 'resting' : 'lost' }
    }
    const policy = options.policy()
    const decision = decide(record, policy, ports)
    switch (decision.kind) {
      case 'send': {
        const { window, skip } = decision
        record = { ...record, skipped: record.skipped.union(skip) }
        // What is skipped alone needs no write of its own; the next one tells it.
        if (window.size === 0) break
        const claimed = { ...record, claim: claims ? window : IndexSet.empty }
        if (claims || !ledger.begun) {
          const wrote = await ledger.writeUnless(ports.isSuspended, claimed, signal)
          if (wrote === 'no') break
          if (wrote === 'lost') return { kind: 'lost' }
        }
        record = claimed
        const results = await sendWindow(window, record, { options, ports, ledger }, signal)
        if (results === 'lost') return { kind: 'lost' }
        record = withResults(record, results)
        break
      }
      case 'retry':
        // The round is written down with its first claim at the latest; without claims, now: it is part of the key.
        record = decision.record
        if (!(await ledger.write(record, signal))) return { kind: 'lost' }
        await unlessResting(ports.backOff(record.round, waiting), ports, signal)
        break
      case 'nextWave':
        record = decision.record
        break
      case 'wait':
        if (!(await ledger.write(record, signal))) return { kind: 'lost' }
        await unlessResting(ports.changed(waiting), ports, signal)
        break
      case 'finish': {
        const unsent = IndexSet.upTo(policy.order.length).without(settled(record))
        const word = { kind: 'finished', reason: decision.reason, unsent } as const
        const last = { ...record, skipped: record.skipped.union(unsent) }
        return (await ledger.write(last, signal, word)) ? { ...word, record: last } : { kind: 'lost' }
      }
      case 'pause': {
        const word = { kind: 'paused', reason: decision.reason } as const
        return (await ledger.write(record, signal, word)) ? { ...word, record } : { kind: 'lost' }
      }
    }
  }
}

/** A wait that may end early because the run is to come to rest. */
async function unlessResting(wait: Promise<void>, { resting }: RunPorts, signal: AbortSignal): Promise<void> {
  try {
    await wait
  } catch (error) {
    if (signal.aborted || !resting.aborted) throw error
  }
}

type Sending = { readonly options: RunOptions; readonly ports: RunPorts; readonly ledger: Ledger }

/** Sends to a window, some at a time; stops beginning new ones as soon as too many have failed, or the run is to come to rest. */
async function sendWindow(
  window: IndexSet,
  record: RunRecord,
  { options, ports, ledger }: Sending,
  signal: AbortSignal,
): Promise<Results | 'lost'> {
  const { parallelism, claims } = options
  const outcomes: Record<Sent, number[]> = { succeeded: [], failed: [], unknown: [] }
  const brokenOff: number[] = []
  const results = (): Results => ({
    succeeded: IndexSet.of(outcomes.succeeded),
    failed: IndexSet.of(outcomes.failed),
    unknown: IndexSet.of(outcomes.unknown),
    // What may be sent again needs no claim.
    unanswered: IndexSet.of(claims ? brokenOff : []),
  })
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const sending = AbortSignal.any([either, ports.cutOff])
  const members = new Set(window)
  const before = record.failed.size + record.unknown.size
  const rest = options
    .policy()
    .order.filter((index) => members.has(index))
    .values()
  const worker = async () => {
    for (const index of rest) {
      if (ports.isExpired() || ports.isSuspended() || ports.resting.aborted) return
      try {
        outcomes[await ports.send(index, record.round, sending)].push(index)
      } catch (error) {
        if (either.aborted || !ports.cutOff.aborted) throw error
        brokenOff.push(index)
      }
      if (before + outcomes.failed.length + outcomes.unknown.length > options.policy().maxFailures) return
    }
  }
  const sent = allEnded(Array.from({ length: Math.min(parallelism, window.size) }, worker))
  if (claims) return sent.then(results)
  // Nothing is claimed, so nothing is lost by telling how far it is.
  const told = tellProgress(ledger, ports, () => withResults(record, results()), either, signal)
  try {
    const first = await Promise.race([sent.then(() => 'sent' as const), told])
    return first === 'lost' ? 'lost' : results()
  } finally {
    stop.abort()
    await Promise.allSettled([sent, told])
  }
}

/** Rejects as Promise.all does, but when nothing is under way any more. */
async function allEnded(workers: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(workers)
  await Promise.all(workers)
}

/**
 * Writes the record from time to time, until it turns out to be another's. A write that has begun is ended also when there is no more to
 * tell: broken off, nobody would know what is written, and the run would have to begin again.
 */
async function tellProgress(
  ledger: Ledger,
  ports: RunPorts,
  present: () => RunRecord,
  stop: AbortSignal,
  signal: AbortSignal,
): Promise<'lost'> {
  for (;;) {
    await ports.progressDue(stop)
    if (!(await ledger.write(present(), signal))) return 'lost'
  }
}

/** The one writer of a record, as far as it knows: it notices when it is not. */
class Ledger {
  readonly #ports: RunPorts
  #written: RunRecord
  #version: string
  #begun: boolean

  private constructor(ports: RunPorts, { record, version, word }: Stored, epoch: number) {
    this.#ports = ports
    this.#written = record
    this.#version = version
    this.#begun = record.epoch === epoch && word === undefined
  }

  static async open(ports: RunPorts, epoch: number, signal: AbortSignal): Promise<Ledger | undefined> {
    const found = await ports.store.read(signal)
    if (found === undefined || found.word === 'finished' || found.record.epoch > epoch) return undefined
    return new Ledger(ports, found, epoch)
  }

  get written(): RunRecord {
    return this.#written
  }

  /** Whether this leadership has written yet; before that, nothing may be sent. */
  get begun(): boolean {
    return this.#begun
  }

  /**
   * Writes the record; false if the run is somebody else's or gone. Whatever goes wrong, the store is read anew: it holds what was to be
   * written (the answer was lost), or what was there before (somebody edited a label, or the write never came through), or something else.
   */
  async write(record: RunRecord, signal: AbortSignal, word?: Word): Promise<boolean> {
    const wrote = await this.writeUnless(() => false, record, signal, word)
    return wrote === 'yes'
  }

  /** The same, but asks before each further try whether it is wanted still: whoever suspends a run makes a claim that is under way fail. */
  async writeUnless(
    unwanted: () => boolean,
    record: RunRecord,
    signal: AbortSignal,
    word?: Word,
  ): Promise<'yes' | 'no' | 'lost'> {
    if (this.#begun && word === undefined && sameRecord(record, this.#written)) return 'yes'
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.#version = await this.#ports.store.write(record, this.#version, signal, word)
        this.#written = record
        this.#begun = true
        return 'yes'
      } catch {
        signal.throwIfAborted()
      }
      const found = await this.#readAnew(attempt, signal)
      if (found === undefined) return 'lost'
      this.#version = found.version
      // Only this leadership writes its epoch, so a record that equals the intended one is our own.
      if (sameRecord(found.record, record) && found.word === word?.kind) {
        this.#written = record
        this.#begun = true
        return 'yes'
      }
      if (!sameRecord(found.record, this.#written)) return 'lost'
      if (unwanted()) return 'no'
    }
  }

  async #readAnew(attempt: number, signal: AbortSignal): ReturnType<RunStore['read']> {
    for (let again = attempt; ; again += 1) {
      await this.#ports.storeBackOff(again, signal)
      try {
        return await this.#ports.store.read(signal)
      } catch {
        signal.throwIfAborted()
      }
    }
  }
}
