import { expect, test } from 'vitest'
import { Bootstrap } from '../model/bootstrap.ts'
import { password, TestConsole } from '../testing/console.fixture.ts'

async function opened() {
  const server = await TestConsole.start()
  const bootstrap = new Bootstrap(server.orm, server.clock)
  const token = (await bootstrap.issue())!
  const browser = server.browser()
  await browser.open()
  const spend = async (given = token, secret = password) =>
    browser.post('/api/bootstrap', { token: given, displayName: 'Ada', password: secret })
  return { server, bootstrap, token, browser, spend, [Symbol.asyncDispose]: async () => server[Symbol.asyncDispose]() }
}

test('the link makes the first administrator, once', async () => {
  await using world = await opened()
  const { server, bootstrap, browser, spend } = world
  expect((await browser.get('/api/session')).body.bootstrapOpen).toBe(true)
  expect(await spend()).toMatchObject({ status: 200, body: { me: { name: 'admin', displayName: 'Ada' } } })
  expect((await browser.get('/api/session')).body).toMatchObject({ me: { name: 'admin' }, bootstrapOpen: false })
  expect((await server.browser().signIn('admin', password)).status).toBe(200)

  await browser.open()
  expect(await spend()).toMatchObject({ status: 403, body: { code: 'BootstrapRefused' } })
  expect(await bootstrap.issue()).toBeUndefined()
  expect(await server.accounts.list()).toHaveLength(1)
})

test('it ends after a day', async () => {
  await using world = await opened()
  const { server, spend } = world
  server.clock.pass(24 * 3_600_000)
  expect((await spend()).status).toBe(403)
  expect(await server.accounts.list()).toHaveLength(0)
})

test('a new one ends the one before', async () => {
  await using world = await opened()
  const { bootstrap, spend } = world
  const next = (await bootstrap.issue())!
  expect((await spend()).status).toBe(403)
  expect((await spend(next)).status).toBe(200)
})

test('a password that is refused leaves it good', async () => {
  await using world = await opened()
  const { spend, token } = world
  expect(await spend(token, 'Administrator1')).toMatchObject({
    status: 422,
    body: { code: 'PasswordRefused', field: 'password' },
  })
  expect((await spend()).status).toBe(200)
})

test('of two that come at once one wins', async () => {
  await using world = await opened()
  const { server, token, spend } = world
  const second = server.browser()
  await second.open()
  const body = { token, displayName: 'Eve', password: 'four other words here' }
  const answers = await Promise.all([spend(), second.post('/api/bootstrap', body)])
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, expect.toBeOneOf([403, 409])])
  expect(await server.accounts.list()).toHaveLength(1)
})

test('only its hash is stored, and nothing in the audit or the log holds it', async () => {
  await using world = await opened()
  const { server, token, spend } = world
  await spend()
  const rows = [
    ...(await server.orm.em.fork().getConnection().execute('select * from bootstrap_tokens')),
    ...(await server.audit.list({}, { limit: 10 })),
    ...server.log,
  ]
  expect(JSON.stringify(rows)).not.toContain(token)
  expect(JSON.stringify(rows)).not.toContain(password)
})
