import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { BootstrapToken } from './bootstrap-token.ts'
import type { Database } from './database.ts'
import { newToken } from './sessions.ts'
import { User } from './user.ts'

const lifetimeMs = 24 * 3_600_000
const id = 1

/** The one-time token that makes the first account; there is no default password. */
export class Bootstrap {
  readonly #database: Database
  readonly #clock: Clock

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  async isOpen(): Promise<boolean> {
    return (await this.#database.em.fork().count(User)) === 0
  }

  /** A new token, good for 24 hours; the one before is worth nothing any more. @returns undefined where there is an account */
  async issue(): Promise<string | undefined> {
    if (!(await this.isOpen())) return undefined
    const token = newToken()
    const expiresAt = new Date(this.#clock.now().getTime() + lifetimeMs)
    await this.#database.em.fork().upsert(BootstrapToken, { id, tokenHash: hashOf(token), expiresAt })
    return token
  }

  async isGood(token: string): Promise<boolean> {
    const stored = await this.#database.em.fork().findOne(BootstrapToken, { id })
    if (stored === null || stored.expiresAt <= this.#clock.now() || !(await this.isOpen())) return false
    return timingSafeEqual(Buffer.from(stored.tokenHash), Buffer.from(hashOf(token)))
  }

  /** Takes the token out of the world. @returns false: somebody else was faster */
  async spend(token: string): Promise<boolean> {
    return (await this.#database.em.fork().nativeDelete(BootstrapToken, { id, tokenHash: hashOf(token) })) > 0
  }
}

/** 256 random bits need no slow hash. */
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
