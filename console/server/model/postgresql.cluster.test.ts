import { eventually, PostgresServer } from '@keelson/testbed'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { Accounts } from './accounts.ts'
import { openDatabase } from './database.ts'
import { describeModel } from './model-suite.fixture.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await PostgresServer.start()
})
afterAll(async () => server[Symbol.asyncDispose]())

describeModel({ name: 'PostgreSQL', fresh: async () => server.database() })

test('consoles that start at once make the tables once, and share them', async () => {
  const url = await server.database()
  const consoles = await Promise.all(Array.from({ length: 4 }, async () => openDatabase(url)))
  const accounts = consoles.map((orm) => new Accounts(orm, systemClock))
  await accounts[0]!.create({ name: 'ada', displayName: 'Ada', mustChangePassword: false })
  expect(await accounts[3]!.find('ada')).toMatchObject({ name: 'ada' })
  await Promise.all(consoles.map(async (orm) => orm.close(true)))
})

test('a database that cannot be used is named without the password', async () => {
  const url = new URL(await server.database())
  url.pathname = '/absent'
  const error = await openDatabase(url.href).catch((reason: unknown) => reason as Error)
  expect(error).toMatchObject({
    code: 'DatabaseUnreachable',
    message: expect.stringMatching(/^PostgreSQL 127\.0\.0\.1:\d+\/absent: .*absent.*check the database URL/) as string,
  })
  expect((error as Error).message).not.toContain(url.password)
})

test('the connection is lost and found again', async () => {
  const orm = await openDatabase(await server.database())
  const accounts = new Accounts(orm, systemClock)
  expect(await accounts.isEmpty()).toBe(true)
  const name = orm.config.get('dbName')!
  await server.query('postgres', `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`)
  // What is under way may fail, once for each connection of the pool.
  expect(await eventually('a query is answered', async () => accounts.isEmpty())).toBe(true)
  await orm.close(true)
})
