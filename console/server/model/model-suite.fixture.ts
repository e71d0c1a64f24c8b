import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, test } from 'vitest'
import { TestClock } from '../testing/test-clock.fixture.ts'
import { AccountExists, AccountNotFound, Accounts } from './accounts.ts'
import { Audit, type Intent } from './audit.ts'
import { AuditEntry } from './audit-entry.ts'
import { Bootstrap } from './bootstrap.ts'
import { openDatabase, type Database } from './database.ts'
import { Sessions } from './sessions.ts'
import { Session } from './session.ts'

export interface Dialect {
  readonly name: 'SQLite' | 'PostgreSQL'
  /** URL of an empty database, which lives as long as the test file. */
  readonly fresh: () => Promise<string>
}

const password = 'four random words here'
const secrets = ['first secret of this test, long enough', 'second secret of this test, long enough'] as const
const limits = { idleSeconds: 1_800, absoluteSeconds: 43_200 }
const intent: Intent = { actor: 'ada', address: '::1', action: 'signIn', object: 'accounts/ada', detail: '' }

class Model implements AsyncDisposable {
  readonly url: string
  readonly orm: Database
  readonly clock = new TestClock()
  readonly accounts: Accounts
  readonly sessions: Sessions
  readonly audit: Audit
  readonly bootstrap: Bootstrap

  constructor(url: string, orm: Database) {
    this.url = url
    this.orm = orm
    this.accounts = new Accounts(orm, this.clock)
    this.sessions = new Sessions(orm, this.clock, secrets, limits)
    this.audit = new Audit(orm, this.clock)
    this.bootstrap = new Bootstrap(orm, this.clock)
  }

  static async open(url: string): Promise<Model> {
    return new Model(url, await openDatabase(url))
  }

  async person(name: string): Promise<void> {
    await this.accounts.create({ name, displayName: name, mustChangePassword: false })
  }

  async session(account: string): Promise<string> {
    return this.sessions.open({ account, address: '::1', userAgent: 'Test' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.orm.close(true)
  }
}

/** What must hold on every database: the same tests on both. */
export function describeModel({ name, fresh }: Dialect): void {
  const open = async () => Model.open(await fresh())

  describe(`tables on ${name}`, () => {
    test('are as the entities want them', async () => {
      await using model = await open()
      expect(await model.orm.schema.getUpdateSchemaSQL({ wrap: false, dropTables: false })).toBe('')
    })

    test('are brought up to date once, and kept', async () => {
      const url = await fresh()
      await using first = await Model.open(url)
      await first.person('ada')
      await first.orm.close(true)
      await using second = await Model.open(url)
      expect(await second.accounts.list()).toHaveLength(1)
    })
  })

  describe(`accounts on ${name}`, () => {
    test('are made, found, listed by name, changed and removed', async () => {
      await using model = await open()
      const { accounts, clock } = model
      expect(await accounts.isEmpty()).toBe(true)
      const made = await accounts.create({ name: 'eve', displayName: '夏娃 🦊', password, mustChangePassword: true })
      expect(made).toEqual({
        name: 'eve',
        displayName: '夏娃 🦊',
        hasPassword: true,
        enabled: true,
        mustChangePassword: true,
        createdAt: clock.now(),
        preferences: { theme: 'system', timeZone: '' },
      })
      await accounts.create({ name: 'ada', displayName: 'Ada', mustChangePassword: false })
      expect(await accounts.find('eve')).toEqual(made)
      expect(await accounts.find('nobody')).toBeUndefined()
      expect((await accounts.list()).map((account) => [account.name, account.hasPassword])).toEqual([
        ['ada', false],
        ['eve', true],
      ])
      clock.pass(1_234)
      await accounts.signedIn('eve')
      await accounts.setEnabled('eve', false)
      await accounts.setPreferences('eve', { language: 'zh-CN', theme: 'dark', timeZone: 'Asia/Shanghai' })
      expect(await accounts.find('eve')).toMatchObject({
        enabled: false,
        lastSignInAt: clock.now(),
        displayName: '夏娃 🦊',
        preferences: { language: 'zh-CN', theme: 'dark', timeZone: 'Asia/Shanghai' },
      })
      await accounts.remove('eve')
      await accounts.remove('eve')
      expect(await accounts.find('eve')).toBeUndefined()
    })

    test('of one name are one, also where two are made at once', async () => {
      await using model = await open()
      const made = await Promise.allSettled([model.person('ada'), model.person('ada'), model.person('ada')])
      expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      const reasons = made.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
      expect(reasons.every((reason) => reason instanceof AccountExists)).toBe(true)
    })

    test('that are not there cannot be changed', async () => {
      await using model = await open()
      const absent = { code: new AccountNotFound('ada').code }
      const { accounts } = model
      await expect(accounts.setPassword('ada', password, { mustChangePassword: true })).rejects.toMatchObject(absent)
      await expect(accounts.setEnabled('ada', true)).rejects.toMatchObject(absent)
      await expect(accounts.setPreferences('ada', { theme: 'dark' })).rejects.toMatchObject(absent)
    })

    test('are verified by their password alone, while they are enabled', async () => {
      await using model = await open()
      const { accounts } = model
      await accounts.create({ name: 'ada', displayName: 'Ada', password, mustChangePassword: false })
      expect(await accounts.verify('ada', password)).toMatchObject({ name: 'ada' })
      expect(await accounts.verify('ada', `${password} `)).toBeUndefined()
      expect(await accounts.verify('Ada', password)).toBeUndefined()
      await accounts.setPassword('ada', 'four other words here', { mustChangePassword: true })
      expect(await accounts.verify('ada', password)).toBeUndefined()
      expect(await accounts.verify('ada', 'four other words here')).toMatchObject({ mustChangePassword: true })
      await accounts.setEnabled('ada', false)
      expect(await accounts.verify('ada', 'four other words here')).toBeUndefined()
    })
  })

  describe(`sessions on ${name}`, () => {
    test('are found by their token, of which only a hash is stored', async () => {
      await using model = await open()
      await model.person('ada')
      const token = await model.session('ada')
      expect(await model.sessions.find(token)).toMatchObject({
        address: '::1',
        userAgent: 'Test',
        account: { name: 'ada' },
      })
      expect(await model.sessions.find(`${token.slice(1)}A`)).toBeUndefined()
      const rows = JSON.stringify(await model.orm.em.fork().getConnection().execute('select * from sessions'))
      expect(rows).toContain('Test')
      expect(rows).not.toContain(token)
    })

    test('are still found when the secret is replaced, until the old one is taken out', async () => {
      await using model = await open()
      await model.person('ada')
      const token = await model.session('ada')
      const by = (...list: string[]) => new Sessions(model.orm, model.clock, list, limits)
      expect(await by('a new one', secrets[0]).find(token)).toBeDefined()
      expect(await by('a new one').find(token)).toBeUndefined()
    })

    test('end with their account, its password, its being enabled, and with age', async () => {
      await using model = await open()
      const { accounts, sessions, clock } = model
      for (const account of ['ada', 'eve', 'joe', 'kim', 'lee']) await model.person(account)
      const tokens = await Promise.all(
        ['ada', 'eve', 'joe', 'kim', 'lee'].map(async (account) => model.session(account)),
      )
      await accounts.remove('ada')
      await accounts.setPassword('eve', password, { mustChangePassword: true })
      await accounts.setEnabled('joe', false)
      clock.pass(1_700_000)
      await sessions.find(tokens[3]!)
      expect(await sessions.find(tokens[4]!, { quiet: true })).toBeDefined()
      clock.pass(1_700_000)
      const found = await Promise.all(tokens.map(async (token) => sessions.find(token)))
      expect(found.map((session) => session?.account.name)).toEqual([undefined, undefined, undefined, 'kim', undefined])
      await sessions.sweep()
      expect(await model.orm.em.fork().find(Session, {}, { populate: [] })).toHaveLength(1)
    })

    test('of one account are bounded: the one that was not used the longest goes', async () => {
      await using model = await open()
      await model.person('ada')
      const first = await model.session('ada')
      const tokens: string[] = []
      for (let count = 0; count < 50; count += 1) {
        model.clock.pass(1_000)
        tokens.push(await model.session('ada'))
      }
      expect(await model.sessions.find(first)).toBeUndefined()
      expect(await model.sessions.find(tokens[0]!)).toBeDefined()
      expect(await model.sessions.list('ada')).toHaveLength(50)
    })
  })

  describe(`the audit on ${name}`, () => {
    test('is finished once', async () => {
      await using model = await open()
      const sequence = await model.audit.begin(intent)
      await model.audit.finish(sequence, { outcome: 'Denied', status: 403, message: 'no' })
      await model.audit.finish(sequence, { outcome: 'Succeeded', status: 200, message: '' })
      expect(await model.audit.list({}, { limit: 10 })).toEqual([
        {
          ...intent,
          sequence,
          time: model.clock.now().toISOString(),
          finishedAt: model.clock.now().toISOString(),
          outcome: 'Denied',
          status: 403,
          message: 'no',
        },
      ])
    })

    test('takes whatever it is given, cut to its bounds', async () => {
      await using model = await open()
      const long = '\u0000\u001b[31m机🦊'.repeat(1_000)
      const sequence = await model.audit.begin({ actor: long, address: long, action: long, object: long, detail: long })
      await model.audit.finish(sequence, { outcome: 'Failed', status: 500, message: long, object: long, detail: long })
      const [entry] = await model.audit.list({}, { limit: 1 })
      expect(entry!.actor).toMatch(/^\uFFFD\uFFFD\[31m机🦊/)
      expect([entry!.actor, entry!.object, entry!.detail, entry!.message].map((text) => text.length)).toEqual([
        63, 512, 2_048, 1_024,
      ])
    })

    test('forgets by age and by number alone', async () => {
      await using model = await open()
      const { audit, clock } = model
      await audit.begin(intent)
      clock.pass(400 * 86_400_000)
      await audit.begin(intent)
      clock.pass(1)
      await audit.forget(400)
      expect(await audit.list({}, { limit: 10 })).toHaveLength(1)
    })

    test('tells of what a process left behind that its outcome is unknown, and leaves living ones alone', async () => {
      await using model = await open()
      const { audit, clock, orm } = model
      const other = new Audit(orm, clock)
      const left = await other.begin(intent)
      const living = await audit.begin(intent)
      expect(await audit.settleAbandoned({ alone: false })).toBe(0)
      expect(await audit.settleAbandoned({ alone: true })).toBe(1)
      await other.finish(left, { outcome: 'Succeeded', status: 200, message: '' })
      clock.pass(601_000)
      const young = await audit.begin(intent)
      expect(await other.settleAbandoned({ alone: false })).toBe(1)
      const entries = await audit.list({}, { limit: 10 })
      expect(entries.map(({ sequence, outcome }) => [sequence, outcome])).toEqual([
        [young, 'Pending'],
        [living, 'Unknown'],
        [left, 'Unknown'],
      ])
    })
  })

  describe(`the bootstrap token on ${name}`, () => {
    test('is good once, for a day, while nobody has an account', async () => {
      await using model = await open()
      const { bootstrap, clock } = model
      const old = (await bootstrap.issue())!
      const token = (await bootstrap.issue())!
      expect([await bootstrap.isGood(old), await bootstrap.isGood(token), await bootstrap.isGood('')]).toEqual([
        false,
        true,
        false,
      ])
      const spent = await Promise.all([bootstrap.spend(token), bootstrap.spend(token)])
      expect(spent.filter(Boolean)).toHaveLength(1)
      expect(await bootstrap.isGood(token)).toBe(false)
      const next = (await bootstrap.issue())!
      clock.pass(86_400_000)
      expect(await bootstrap.isGood(next)).toBe(false)
      const last = (await bootstrap.issue())!
      await model.person('ada')
      expect(await bootstrap.isGood(last)).toBe(false)
      expect(await bootstrap.issue()).toBeUndefined()
    })
  })

  test(`killed mid-write and started again on ${name}: no lost account, no half entry`, async () => {
    const url = await fresh()
    const said = { account: new Set<string>(), begun: new Set<number>(), finished: new Set<number>() }
    for (let round = 0; round < 8; round += 1) {
      const lines = 1 + Math.floor(Math.random() * 120)
      for (const [what, which] of await linesUntilKilled(url, `round-${round}`, lines)) {
        if (what === 'account') said.account.add(which)
        else said[what as 'begun'].add(Number(which))
      }
      await using model = await Model.open(url)
      const names = new Set((await model.accounts.list()).map((account) => account.name))
      expect([...said.account].filter((account) => !names.has(account))).toEqual([])

      model.clock.pass(Date.now())
      await model.audit.settleAbandoned({ alone: name === 'SQLite' })
      const entries = await model.orm.em.fork().find(AuditEntry, {})
      const outcomes = new Map(entries.map(({ sequence, outcome }) => [sequence, outcome]))
      expect([...said.begun].filter((sequence) => !outcomes.has(sequence))).toEqual([])
      expect([...said.finished].filter((sequence) => outcomes.get(sequence) !== 'Failed')).toEqual([])
      for (const entry of entries) {
        expect([entry.object.length, entry.detail.length, entry.finishedAt]).toEqual([500, 2_000, expect.any(Date)])
        expect([entry.outcome, entry.status, entry.message.length > 0]).toEqual(
          entry.outcome === 'Failed' ? ['Failed', 409, true] : ['Unknown', null, true],
        )
      }
    }
    expect([said.account.size, said.begun.size, said.finished.size].every((count) => count > 8)).toBe(true)
  }, 60_000)
}

/** What the writer had said before the kill that came after so many lines; the kernel keeps it in the pipe. */
async function linesUntilKilled(url: string, prefix: string, count: number): Promise<[string, string][]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'writer.fixture.ts'), url, prefix], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: [string, string][] = []
  const ended = once(child, 'exit')
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line.split(' ') as [string, string])
    if (lines.length === count) child.kill('SIGKILL')
  }
  expect(await ended).toEqual([null, 'SIGKILL'])
  return lines
}
