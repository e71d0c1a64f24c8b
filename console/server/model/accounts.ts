import { UniqueConstraintViolationException, type EntityDTO, type InferEntity } from '@mikro-orm/sql'
import type { Clock } from '../clock.ts'
import type { Database } from './database.ts'
import { hashPassword, verifyPassword } from './password-hash.ts'
import { checkPassword } from './password-rules.ts'
import { Session } from './session.ts'
import { User } from './user.ts'

/** `language` is absent until it is chosen: that of the browser. */
export interface AccountPreferences {
  readonly language?: 'en' | 'zh-CN'
  readonly theme: 'light' | 'dark' | 'system'
  readonly timeZone: string
}

export interface AccountRecord {
  readonly name: string
  readonly displayName: string
  readonly hasPassword: boolean
  readonly enabled: boolean
  readonly mustChangePassword: boolean
  readonly createdAt: Date
  readonly lastSignInAt?: Date
  readonly preferences: AccountPreferences
}

export interface NewAccount {
  readonly name: string
  readonly displayName: string
  readonly password?: string
  readonly mustChangePassword: boolean
}

export class AccountExists extends Error {
  readonly code = 'AccountExists'

  constructor(name: string, cause?: unknown) {
    super(`an account ${name} may sign in already; choose another name or delete that one`, { cause })
    this.name = 'AccountExists'
  }
}

export class AccountNotFound extends Error {
  readonly code = 'AccountNotFound'

  constructor(name: string) {
    super(`no account ${name} may sign in here`)
    this.name = 'AccountNotFound'
  }
}

/** Who may sign in. Each method is one transaction. */
export class Accounts {
  readonly #database: Database
  readonly #clock: Clock

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  async find(name: string): Promise<AccountRecord | undefined> {
    const user = await this.#database.em.fork().findOne(User, { name })
    return user === null ? undefined : recordOf(user)
  }

  /** By name. */
  async list(): Promise<AccountRecord[]> {
    const users = await this.#database.em.fork().find(User, {}, { orderBy: { name: 'asc' } })
    return users.map(recordOf)
  }

  async isEmpty(): Promise<boolean> {
    return (await this.#database.em.fork().count(User)) === 0
  }

  /** @throws AccountExists, PasswordRefused */
  async create({ name, displayName, password, mustChangePassword }: NewAccount): Promise<AccountRecord> {
    const em = this.#database.em.fork()
    const user = em.create(User, {
      name,
      displayName,
      passwordHash: password === undefined ? null : await hashed(password, name),
      enabled: true,
      mustChangePassword,
      theme: 'system',
      timeZone: '',
      createdAt: this.#clock.now(),
    })
    try {
      await em.flush()
    } catch (error) {
      if (error instanceof UniqueConstraintViolationException) throw new AccountExists(name, error)
      throw error
    }
    return recordOf(user)
  }

  /**
   * Ends the sessions of the account but for `keepSession`.
   *
   * @throws AccountNotFound, PasswordRefused
   */
  async setPassword(
    name: string,
    password: string,
    { mustChangePassword, keepSession }: { readonly mustChangePassword: boolean; readonly keepSession?: string },
  ): Promise<void> {
    const passwordHash = await hashed(password, name)
    await this.#database.em.fork().transactional(async (em) => {
      const changed = await em.nativeUpdate(User, { name }, { passwordHash, mustChangePassword })
      if (changed === 0) throw new AccountNotFound(name)
      await em.nativeDelete(Session, { user: name, ...(keepSession === undefined ? {} : { id: { $ne: keepSession } }) })
    })
  }

  /** False: ends its sessions. @throws AccountNotFound */
  async setEnabled(name: string, enabled: boolean): Promise<void> {
    await this.#database.em.fork().transactional(async (em) => {
      const changed = await em.nativeUpdate(User, { name }, { enabled })
      if (changed === 0) throw new AccountNotFound(name)
      if (!enabled) await em.nativeDelete(Session, { user: name })
    })
  }

  /** @throws AccountNotFound */
  async setPreferences(
    name: string,
    change: Partial<AccountPreferences> & { readonly displayName?: string },
  ): Promise<AccountRecord> {
    const em = this.#database.em.fork()
    const user = await em.findOne(User, { name })
    if (user === null) throw new AccountNotFound(name)
    em.assign(user, change)
    await em.flush()
    return recordOf(user)
  }

  /** With its sessions. Nothing happens where there is none. */
  async remove(name: string): Promise<void> {
    await this.#database.em.fork().nativeDelete(User, { name })
  }

  /** The account, where the password is right and it may sign in. Takes the same time whatever is wrong. */
  async verify(name: string, password: string): Promise<AccountRecord | undefined> {
    const user = await this.#database.em.fork().findOne(User, { name })
    const right = await verifyPassword(password, user?.passwordHash ?? undefined)
    return user !== null && right && user.enabled ? recordOf(user) : undefined
  }

  async signedIn(name: string): Promise<void> {
    await this.#database.em.fork().nativeUpdate(User, { name }, { lastSignInAt: this.#clock.now() })
  }
}

async function hashed(password: string, name: string): Promise<string> {
  checkPassword(password, name)
  return hashPassword(password)
}

export function recordOf(user: InferEntity<typeof User> | EntityDTO<InferEntity<typeof User>>): AccountRecord {
  const { name, displayName, enabled, mustChangePassword, createdAt, lastSignInAt, language, theme, timeZone } = user
  return {
    name,
    displayName,
    hasPassword: (user.passwordHash ?? null) !== null,
    enabled,
    mustChangePassword,
    createdAt,
    ...(lastSignInAt ? { lastSignInAt } : {}),
    preferences: { ...(language ? { language } : {}), theme, timeZone },
  }
}
