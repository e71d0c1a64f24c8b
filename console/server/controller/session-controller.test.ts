import { describe, expect, test } from 'vitest'
import { password, TestConsole } from '../testing/console.fixture.ts'

const other = 'quite another set of words'

test('signs in, tells who it is, and signs out', async () => {
  await using server = await TestConsole.start()
  await server.person('ada')
  const browser = server.browser()
  expect((await browser.open()).body).toMatchObject({ bootstrapOpen: false, idleSeconds: 1800 })
  const { body } = await browser.signIn('ada', password)
  expect(body.me).toEqual({
    name: 'ada',
    displayName: 'ada',
    mustChangePassword: false,
    preferences: { language: 'en', theme: 'system', timeZone: '' },
  })
  expect((await browser.get('/api/session')).body.me.name).toBe('ada')
  expect((await server.accounts.find('ada'))?.lastSignInAt).toEqual(server.clock.now())
  expect((await browser.send('DELETE', '/api/session')).status).toBe(204)
  expect((await browser.get('/api/session')).body.me).toBeUndefined()
})

test('session fixation: a session that was known before the sign-in is worth nothing after it', async () => {
  await using server = await TestConsole.start()
  await server.person('ada')
  const victim = server.browser()
  await victim.open()
  const [[name, planted]] = [...victim.cookies] as [[string, string]]
  await victim.signIn('ada', password)
  expect(victim.cookies.get(name)).not.toBe(planted)

  const attacker = server.browser()
  attacker.cookies.set(name, planted)
  expect((await attacker.open()).body.me).toBeUndefined()
  expect((await attacker.get('/api/profile/sessions')).status).toBe(401)
})

test('session fixation: a second sign-in ends the session that the browser had', async () => {
  await using server = await TestConsole.start()
  const browser = await server.signedIn('ada')
  const before = new Map(browser.cookies)
  await server.person('eve')
  await browser.signIn('eve', password)
  const thief = server.browser()
  for (const [name, value] of before) thief.cookies.set(name, value)
  expect((await thief.get('/api/profile/sessions')).status).toBe(401)
  expect((await browser.get('/api/profile/sessions')).body.sessions).toHaveLength(1)
})

describe('the cookie', () => {
  test('on https is __Host-, Secure, HttpOnly, SameSite=Lax, for the whole host', async () => {
    await using server = await TestConsole.start({ configuration: { publicUrl: new URL('https://console.test') } })
    await server.person('ada')
    const browser = server.browser()
    for (const { headers } of [await browser.open(), await browser.signIn('ada', password)])
      expect(headers['set-cookie']).toEqual([
        expect.stringMatching(/^__Host-keelson=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
      ])
    expect((await browser.get('/api/session')).body.me.name).toBe('ada')
  })

  test('on plain http has a plain name', async () => {
    await using server = await TestConsole.start()
    const { headers } = await server.browser().open()
    expect(headers['set-cookie']).toEqual([
      expect.stringMatching(/^keelson=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax$/),
    ])
  })

  test('of another form is none', async () => {
    await using server = await TestConsole.start()
    const browser = server.browser()
    browser.cookies.set('keelson', `x' or '1'='1`)
    expect((await browser.open()).headers['set-cookie']).toHaveLength(1)
  })
})

describe('a session ends', () => {
  test('when it is idle for half an hour', async () => {
    await using server = await TestConsole.start()
    const browser = await server.signedIn('ada')
    for (const minutes of [29, 29, 29]) {
      server.clock.pass(minutes * 60_000)
      expect((await browser.get('/api/profile/sessions')).status).toBe(200)
    }
    server.clock.pass(31 * 60_000)
    expect((await browser.get('/api/profile/sessions')).status).toBe(401)
    expect((await browser.get('/api/session')).body.me).toBeUndefined()
  })

  test('after twelve hours, however busy it is', async () => {
    await using server = await TestConsole.start()
    const browser = await server.signedIn('ada')
    for (let minutes = 0; minutes < 12 * 60; minutes += 20) {
      expect((await browser.get('/api/profile/sessions')).status).toBe(200)
      server.clock.pass(20 * 60_000)
    }
    server.clock.pass(1_000)
    expect((await browser.get('/api/profile/sessions')).status).toBe(401)
  })

  test('when it is ended from another one, which sees both', async () => {
    await using server = await TestConsole.start()
    const here = await server.signedIn('ada')
    server.clock.pass(60_000)
    const there = server.browser()
    await there.signIn('ada', password, { headers: { 'user-agent': 'There/1.0' } })
    const { sessions } = (await here.get('/api/profile/sessions')).body
    expect(sessions).toMatchObject([
      { current: false, userAgent: 'There/1.0' },
      { current: true, address: '127.0.0.1' },
    ])
    const id = sessions[0].id as string
    expect((await here.send('DELETE', `/api/profile/sessions/${id}`)).status).toBe(204)
    expect((await there.get('/api/profile/sessions')).status).toBe(401)
    expect((await here.get('/api/profile/sessions')).status).toBe(200)
    expect((await here.send('DELETE', `/api/profile/sessions/${id}`)).status).toBe(404)
  })

  test('but not that of somebody else', async () => {
    await using server = await TestConsole.start()
    const ada = await server.signedIn('ada')
    const eve = await server.signedIn('eve')
    const { sessions } = (await ada.get('/api/profile/sessions')).body
    expect((await eve.send('DELETE', `/api/profile/sessions/${sessions[0].id}`)).status).toBe(404)
    expect((await ada.get('/api/profile/sessions')).status).toBe(200)
  })

  test('when its account is disabled, gets another password or is removed', async () => {
    await using server = await TestConsole.start()
    for (const [name, end] of [
      ['ada', async () => server.accounts.setEnabled('ada', false)],
      ['eve', async () => server.accounts.setPassword('eve', other, { mustChangePassword: true })],
      ['joe', async () => server.accounts.remove('joe')],
    ] as const) {
      const browser = await server.signedIn(name)
      await end()
      expect((await browser.get('/api/profile/sessions')).status).toBe(401)
    }
    expect((await server.browser().signIn('ada', password)).status).toBe(401)
  })
})

describe('a password', () => {
  test('that somebody else has set must be changed before anything else', async () => {
    await using server = await TestConsole.start()
    await server.accounts.create({ name: 'ada', displayName: 'Ada', password, mustChangePassword: true })
    const browser = await server.signedIn('ada')
    expect((await browser.get('/api/session')).body.me.mustChangePassword).toBe(true)
    for (const [method, path, body] of [
      ['GET', '/api/profile/sessions', undefined],
      ['PATCH', '/api/profile', { theme: 'dark' }],
    ] as const)
      expect(await browser.send(method, path, { body })).toMatchObject({
        status: 403,
        body: { code: 'PasswordChangeRequired' },
      })
    expect((await browser.post('/api/profile/password', { current: password, next: other })).status).toBe(204)
    await browser.open()
    expect((await browser.get('/api/profile/sessions')).status).toBe(200)
  })

  test('that is changed ends all other sessions and gives this browser a new one', async () => {
    await using server = await TestConsole.start()
    const here = await server.signedIn('ada')
    const there = await server.signedIn('ada')
    const before = here.cookies.get('keelson')
    expect((await here.post('/api/profile/password', { current: password, next: other })).status).toBe(204)
    expect(here.cookies.get('keelson')).not.toBe(before)
    expect((await here.get('/api/session')).body.me.name).toBe('ada')
    expect((await there.get('/api/profile/sessions')).status).toBe(401)
    expect((await server.browser().signIn('ada', password)).status).toBe(401)
    expect((await server.browser().signIn('ada', other)).status).toBe(200)
  })

  test.each([
    [{ current: 'wrong', next: other }, 403, 'PasswordWrong'],
    [{ current: password, next: password }, 422, 'PasswordRefused'],
    [{ current: password, next: 'Password1234!' }, 422, 'PasswordRefused'],
    [{ current: password, next: 'short' }, 400, 'InputInvalid'],
  ])('is not changed by %j', async (body, status, code) => {
    await using server = await TestConsole.start()
    const browser = await server.signedIn('ada')
    expect(await browser.post('/api/profile/password', body)).toMatchObject({ status, body: { code } })
    expect((await server.browser().signIn('ada', password)).status).toBe(200)
  })

  test('that is wrong, an account that is not there, and one without a password say the same', async () => {
    await using server = await TestConsole.start()
    await server.person('ada')
    await server.accounts.create({ name: 'robot', displayName: 'R', mustChangePassword: false })
    const answers = []
    for (const name of ['ada', 'nobody', 'robot']) answers.push(await server.browser().signIn(name, 'wrong'))
    for (const { status, text } of answers) expect([status, text]).toEqual([401, answers[0]!.text])
  })
})

describe('the preferences', () => {
  test('are those of the browser until they are set', async () => {
    await using server = await TestConsole.start()
    const browser = await server.signedIn('ada')
    const headers = { 'accept-language': 'fr, zh-TW;q=0.9, en;q=0.8' }
    expect((await browser.get('/api/session', { headers })).body.me.preferences.language).toBe('zh-CN')
    const body = { language: 'en', theme: 'dark', timeZone: 'Asia/Shanghai', displayName: '艾达' }
    expect((await browser.send('PATCH', '/api/profile', { body })).status).toBe(200)
    expect((await browser.get('/api/session', { headers })).body.me).toMatchObject({
      displayName: '艾达',
      preferences: { language: 'en', theme: 'dark', timeZone: 'Asia/Shanghai' },
    })
    await browser.send('PATCH', '/api/profile', { body: { timeZone: '' } })
    expect((await browser.get('/api/session')).body.me.preferences).toEqual({
      language: 'en',
      theme: 'dark',
      timeZone: '',
    })
  })

  test.each([
    [{ timeZone: 'Mars/Olympus' }, 422],
    [{ theme: 'pink' }, 400],
    [{ mustChangePassword: false }, 400],
    [{ displayName: '' }, 400],
  ])('are not %j', async (body, status) => {
    await using server = await TestConsole.start()
    const browser = await server.signedIn('ada')
    expect((await browser.send('PATCH', '/api/profile', { body })).status).toBe(status)
  })
})
