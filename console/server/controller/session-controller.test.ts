import { expect, test } from 'vitest'
import { password, TestConsole } from '../testing/console.fixture.ts'

test('signs in, tells who it is, and signs out', async () => {
  await using server = await TestConsole.start()
  await server.person('ada')
  const browser = server.browser()
  expect((await browser.open()).body).toMatchObject({ bootstrapOpen: false, idleSeconds: 1800 })
  expect((await browser.signIn('ada', password)).body).toMatchObject({ me: { name: 'ada', mustChangePassword: false } })
  expect((await browser.get('/api/session')).body.me.name).toBe('ada')
  expect((await browser.send('DELETE', '/api/session')).status).toBe(204)
  expect((await browser.get('/api/session')).body.me).toBeUndefined()
})
