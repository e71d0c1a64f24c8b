import { createHmac, randomBytes } from 'node:crypto'
import type { InferEntity } from '@mikro-orm/sql'
import type { Clock } from '../clock.ts'
import { recordOf, type AccountRecord } from './accounts.ts'
import type { Database } from './database.ts'
import { Session } from './session.ts'

export interface SessionLimits {
  /** Ends so long after its last call. */
  readonly idleSeconds: number
  /** Ends so long after the sign-in, whatever happens. */
  readonly absoluteSeconds: number
}

export interface SessionRecord {
  /** Names it, opens nothing. */
  readonly id: string
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly address: string
  readonly userAgent: string
}

export interface OpenSession extends SessionRecord {
  readonly account: AccountRecord
}

export interface NewSession {
  readonly account: string
  readonly address: string
  readonly userAgent: string
}

/** A person with more browsers than this loses the oldest session. */
const maxSessions = 50

/** A call within this time of the last one that was written down is not written down. */
const seenWithinMs = 30_000

/** Who is signed in. A session is found by the token of its cookie alone, of which only an HMAC is stored. */
export class Sessions {
  readonly #database: Database
  readonly #clock: Clock
  readonly #secrets: readonly string[]
  readonly #limits: SessionLimits

  /** @param secrets the first one makes hashes, every one may have made a hash: so the first can be replaced without signing everybody out */
  constructor(database: Database, clock: Clock, secrets: readonly string[], limits: SessionLimits) {
    this.#database = database
    this.#clock = clock
    this.#secrets = secrets
    this.#limits = limits
  }

  /** @returns the token for the cookie: 256 random bits, always new, whatever cookie came with the sign-in */
  async open({ account, address, userAgent }: NewSession): Promise<string> {
    const token = newToken()
    const now = this.#clock.now()
    await this.#database.em.fork().transactional(async (em) => {
      const older = await em.find(
        Session,
        { user: account },
        { orderBy: { lastSeenAt: 'desc' }, offset: maxSessions - 1, limit: 1_000 },
      )
      await em.nativeDelete(Session, { id: { $in: older.map(({ id }) => id) } })
      em.create(Session, {
        id: randomBytes(16).toString('base64url'),
        tokenHash: hashOf(token, this.#secrets[0]!),
        user: account,
        createdAt: now,
        lastSeenAt: now,
        address: address.slice(0, 63),
        userAgent: userAgent.slice(0, 256),
      })
    })
    return token
  }

  /**
   * The session that a token opens, and its account as it is now.
   *
   * @param quiet true: the call does not keep the session alive
   */
  async find(token: string, { quiet = false }: { readonly quiet?: boolean } = {}): Promise<OpenSession | undefined> {
    const em = this.#database.em.fork()
    const tokenHash = { $in: this.#secrets.map((secret) => hashOf(token, secret)) }
    const session = await em.findOne(Session, { tokenHash }, { populate: ['user'] })
    if (session === null || this.#isOver(session) || !session.user.enabled) return undefined
    const now = this.#clock.now()
    if (!quiet && now.getTime() - session.lastSeenAt.getTime() > seenWithinMs)
      await em.nativeUpdate(Session, { id: session.id }, { lastSeenAt: now })
    return { ...sessionRecordOf(session), account: recordOf(session.user) }
  }

  /** Those of an account that are open, the last used first. */
  async list(account: string): Promise<SessionRecord[]> {
    const em = this.#database.em.fork()
    const sessions = await em.find(
      Session,
      { user: account },
      { orderBy: { lastSeenAt: 'desc', createdAt: 'desc', id: 'asc' } },
    )
    return sessions.filter((session) => !this.#isOver(session)).map(sessionRecordOf)
  }

  /** Ends one session of an account. @returns false: it has none of that id */
  async end(account: string, id: string): Promise<boolean> {
    return (await this.#database.em.fork().nativeDelete(Session, { id, user: account })) > 0
  }

  /** Deletes what is over, from time to time; an expired one opens nothing before that. */
  async sweep(): Promise<void> {
    const now = this.#clock.now().getTime()
    const before = (seconds: number) => ({ $lt: new Date(now - seconds * 1_000) })
    const { idleSeconds, absoluteSeconds } = this.#limits
    await this.#database.em
      .fork()
      .nativeDelete(Session, { $or: [{ lastSeenAt: before(idleSeconds) }, { createdAt: before(absoluteSeconds) }] })
  }

  #isOver({ createdAt, lastSeenAt }: { readonly createdAt: Date; readonly lastSeenAt: Date }): boolean {
    const now = this.#clock.now().getTime()
    const { idleSeconds, absoluteSeconds } = this.#limits
    return now - lastSeenAt.getTime() > idleSeconds * 1_000 || now - createdAt.getTime() > absoluteSeconds * 1_000
  }
}

export function newToken(): string {
  return randomBytes(32).toString('base64url')
}

function hashOf(token: string, secret: string): string {
  return createHmac('sha256', secret).update('session ').update(token).digest('hex')
}

function sessionRecordOf({
  id,
  createdAt,
  lastSeenAt,
  address,
  userAgent,
}: InferEntity<typeof Session>): SessionRecord {
  return { id, createdAt, lastSeenAt, address, userAgent }
}
