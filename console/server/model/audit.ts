import { randomBytes } from 'node:crypto'
import { raw, type FilterQuery, type InferEntity } from '@mikro-orm/sql'
import type { AuditEntry as AuditEntryView } from '../../protocol/audit.ts'
import type { Clock } from '../clock.ts'
import { AuditEntry } from './audit-entry.ts'
import type { Database } from './database.ts'

export type Outcome = AuditEntryView['outcome']

export interface Intent {
  readonly actor: string
  readonly address: string
  /** Name of the route. */
  readonly action: string
  readonly object: string
  /** JSON without secrets. */
  readonly detail: string
}

export interface Result {
  readonly outcome: 'Succeeded' | 'Denied' | 'Failed'
  readonly status: number
  readonly message: string
  /** As the handler learnt it meanwhile; absent: as in the intent. */
  readonly object?: string | undefined
  readonly detail?: string | undefined
}

export interface AuditFilter {
  readonly actor?: string | undefined
  readonly action?: string | undefined
  /** Beginning of it. */
  readonly object?: string | undefined
  readonly outcome?: Outcome | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
}

/** No call takes so long: what another process began before and has not ended died with that process. */
const abandonedAfterMs = 10 * 60_000

/** Of entries; the oldest go first. Some 700 bytes each. */
const maxEntries = 1_000_000

/** Who did what. An entry is appended before the act and finished once, each by one statement; only age removes one. */
export class Audit {
  readonly #database: Database
  readonly #clock: Clock
  readonly #process = randomBytes(8).toString('hex')

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  /** @returns its sequence, for {@link finish} */
  async begin(intent: Intent): Promise<number> {
    return this.#append({ ...fitted(intent), outcome: 'Pending', message: '' })
  }

  /** Of what began before and has not ended yet. */
  async finish(sequence: number, { outcome, status, message, object, detail }: Result): Promise<void> {
    const refined = fitted({ ...(object === undefined ? {} : { object }), ...(detail === undefined ? {} : { detail }) })
    const finishedAt = this.#clock.now()
    await this.#database.em
      .fork()
      .nativeUpdate(
        AuditEntry,
        { sequence, outcome: 'Pending' },
        { ...refined, outcome, status, message: clipped(message, 1_024), finishedAt },
      )
  }

  /** Of what was refused before anything was tried. */
  async refuse(
    intent: Intent,
    { status, message }: { readonly status: number; readonly message: string },
  ): Promise<void> {
    const finishedAt = this.#clock.now()
    await this.#append({ ...fitted(intent), outcome: 'Denied', status, message: clipped(message, 1_024), finishedAt })
  }

  /** The newest first. @param before only entries with a smaller sequence */
  async list(
    filter: AuditFilter,
    { before, limit }: { before?: number | undefined; limit: number },
  ): Promise<AuditEntryView[]> {
    const entries = await this.#database.em
      .fork()
      .find(AuditEntry, conditions(filter, before), { orderBy: { sequence: 'desc' }, limit })
    return entries.map(viewOf)
  }

  /**
   * What no living process can end any more gets the outcome Unknown.
   *
   * @param alone no other console uses this database: then whatever is not ours
   * @returns how many entries
   */
  async settleAbandoned({ alone }: { readonly alone: boolean }): Promise<number> {
    const now = this.#clock.now()
    const abandoned: FilterQuery<InferEntity<typeof AuditEntry>> = alone
      ? { process: { $ne: this.#process } }
      : { time: { $lt: new Date(now.getTime() - abandonedAfterMs) } }
    const message = 'the console ended before the outcome was known: look at the object itself'
    return this.#database.em
      .fork()
      .nativeUpdate(AuditEntry, { outcome: 'Pending', ...abandoned }, { outcome: 'Unknown', message, finishedAt: now })
  }

  /** Removes what is older than so many days, and the oldest beyond a million. */
  async forget(days: number): Promise<void> {
    const em = this.#database.em.fork()
    await em.nativeDelete(AuditEntry, { time: { $lt: new Date(this.#clock.now().getTime() - days * 86_400_000) } })
    const [newest] = await em.find(AuditEntry, {}, { orderBy: { sequence: 'desc' }, limit: 1 })
    if (newest !== undefined) await em.nativeDelete(AuditEntry, { sequence: { $lte: newest.sequence - maxEntries } })
  }

  async #append(
    entry: Intent & { readonly outcome: Outcome; readonly message: string; status?: number; finishedAt?: Date },
  ): Promise<number> {
    const em = this.#database.em.fork()
    const row = em.create(AuditEntry, { ...entry, time: this.#clock.now(), process: this.#process })
    await em.flush()
    return row.sequence
  }
}

const lengths = { actor: 63, address: 63, action: 63, object: 512, detail: 2_048 } as const

function fitted<T extends Partial<Intent>>(intent: T): T {
  const entries = Object.entries(intent).map(([key, text]) => [key, clipped(text, lengths[key as keyof Intent])])
  return Object.fromEntries(entries) as T
}

/** PostgreSQL stores no U+0000, and no entry shall write on somebody's terminal. */
function clipped(text: string, length: number): string {
  return text.replaceAll(/\p{Cc}/gu, '\uFFFD').slice(0, length)
}

function conditions(filter: AuditFilter, before: number | undefined): FilterQuery<InferEntity<typeof AuditEntry>> {
  const { actor, action, object, outcome, from, to } = filter
  const all: FilterQuery<InferEntity<typeof AuditEntry>>[] = []
  if (before !== undefined) all.push({ sequence: { $lt: before } })
  if (actor !== undefined) all.push({ actor })
  if (action !== undefined) all.push({ action })
  // Not LIKE, whose special characters each database escapes in its own way, nor a range, which rests on the collation.
  if (object !== undefined && object !== '')
    all.push({ [raw('substr(object, 1, ?)', [Array.from(object).length])]: object })
  if (outcome !== undefined) all.push({ outcome })
  if (from !== undefined) all.push({ time: { $gte: new Date(from) } })
  if (to !== undefined) all.push({ time: { $lte: new Date(to) } })
  return all.length === 0 ? {} : { $and: all }
}

function viewOf(entry: InferEntity<typeof AuditEntry>): AuditEntryView {
  const { sequence, time, actor, address, action, object, detail, outcome, status, message, finishedAt } = entry
  return {
    sequence,
    time: time.toISOString(),
    actor,
    address,
    action,
    object,
    detail,
    outcome,
    ...(status === null || status === undefined ? {} : { status }),
    message,
    ...(finishedAt ? { finishedAt: finishedAt.toISOString() } : {}),
  }
}
