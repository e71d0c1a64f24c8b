import { describe, expect, test } from 'vitest'
import { password, TestConsole } from '../testing/console.fixture.ts'

const body = { theme: 'dark' }

describe('CSRF: a change that another site has a browser ask for is refused', () => {
  test.each([
    ['no token', { 'x-csrf-token': undefined }, 'CsrfRefused'],
    ['a wrong token', { 'x-csrf-token': 'x'.repeat(43) }, 'CsrfRefused'],
    ['a form of another site', { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' }, 'OriginRefused'],
    [
      'a page of a neighbouring host',
      { origin: 'http://evil.console.test', 'sec-fetch-site': 'same-site' },
      'OriginRefused',
    ],
    [
      'a browser that sends the origin alone',
      { origin: 'https://evil.test', 'sec-fetch-site': undefined },
      'OriginRefused',
    ],
    ['a page without an origin', { origin: 'null', 'sec-fetch-site': undefined }, 'OriginRefused'],
    ['another scheme', { origin: 'https://console.test' }, 'OriginRefused'],
    ['an address that somebody typed', { 'sec-fetch-site': 'none' }, 'OriginRefused'],
  ])('%s', async (_, headers, code) => {
    await using server = await TestConsole.start()
    const browser = await server.signedIn('ada')
    expect(await browser.send('PATCH', '/api/profile', { body, headers })).toMatchObject({
      status: 403,
      body: { code },
    })
    expect((await server.accounts.find('ada'))?.preferences.theme).toBe('system')
    expect((await browser.send('PATCH', '/api/profile', { body })).status).toBe(200)
  })

  test('a token of another session, also of one that the same browser had', async () => {
    await using server = await TestConsole.start()
    const browser = await server.signedIn('ada')
    const attacker = await server.signedIn('eve')
    for (const token of [attacker.csrfToken, (await server.browser().open()).body.csrfToken as string])
      expect(await browser.send('PATCH', '/api/profile', { body, headers: { 'x-csrf-token': token } })).toMatchObject({
        status: 403,
        body: { code: 'CsrfRefused' },
      })
    const old = browser.csrfToken
    await browser.signIn('ada', password)
    expect((await browser.send('PATCH', '/api/profile', { body, headers: { 'x-csrf-token': old } })).status).toBe(403)
  })

  test('signing somebody in as somebody else', async () => {
    await using server = await TestConsole.start()
    await server.person('eve')
    const browser = server.browser()
    expect((await browser.post('/api/session', { name: 'eve', password })).status).toBe(403)
    await browser.open()
    const headers = { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' }
    expect((await browser.post('/api/session', { name: 'eve', password }, { headers })).status).toBe(403)
  })

  test('a token that was made with a secret which is on its way out is still good', async () => {
    const secrets = ['the new secret, long enough for anybody', 'the old secret, long enough for anybody'] as const
    await using server = await TestConsole.start({ configuration: { sessionSecrets: secrets } })
    const browser = await server.signedIn('ada')
    const { createHmac } = await import('node:crypto')
    const token = createHmac('sha256', secrets[1])
      .update('csrf ')
      .update(browser.cookies.get('keelson')!)
      .digest('base64url')
    expect((await browser.send('PATCH', '/api/profile', { body, headers: { 'x-csrf-token': token } })).status).toBe(200)
  })

  test('a program without a browser needs the token and nothing else', async () => {
    await using server = await TestConsole.start()
    const browser = await server.signedIn('ada')
    const headers = { origin: undefined, 'sec-fetch-site': undefined }
    expect((await browser.send('PATCH', '/api/profile', { body, headers })).status).toBe(200)
  })

  test('no answer opens the API to other origins', async () => {
    await using server = await TestConsole.start()
    const browser = await server.signedIn('ada')
    const headers = { origin: 'https://evil.test', 'access-control-request-method': 'PATCH' }
    const preflight = await browser.send('OPTIONS', '/api/profile', { headers })
    expect(preflight.status).toBe(404)
    for (const answer of [preflight, await browser.get('/api/session', { headers })])
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([])
  })
})

test('GET and HEAD change nothing', async () => {
  await using server = await TestConsole.start()
  const browser = await server.signedIn('ada')
  for (const method of ['GET', 'HEAD']) expect((await browser.send(method, '/api/profile')).status).toBe(404)
})

describe('header smuggling', () => {
  test.each([
    'Impersonate-User',
    'impersonate-group',
    'Impersonate-Extra-Scopes',
    'X-Remote-User',
    'X-Remote-Group',
    'x-remote-extra-a',
  ])('%s is refused, whoever sends it and whatever it asks for', async (name) => {
    await using server = await TestConsole.start()
    const browser = await server.signedIn('ada')
    const headers = { [name]: 'system:masters' }
    for (const answer of [
      await browser.get('/api/profile/sessions', { headers }),
      await browser.send('PATCH', '/api/profile', { body, headers }),
      await browser.get('/', { headers }),
    ])
      expect(answer).toMatchObject({ status: 400, body: { code: 'HeaderRefused' } })
    expect((await server.accounts.find('ada'))?.preferences.theme).toBe('system')
  })

  test('a token or a password in Authorization signs nobody in', async () => {
    await using server = await TestConsole.start()
    const browser = await server.signedIn('ada')
    const stranger = server.browser()
    for (const authorization of [
      `Bearer ${browser.cookies.get('keelson')}`,
      `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`,
    ])
      expect((await stranger.get('/api/profile/sessions', { headers: { authorization } })).status).toBe(401)
  })

  test('what a proxy says is believed of declared proxies alone', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.test' }
    for (const [trustedProxies, address] of [
      [[], '127.0.0.1'],
      [['10.0.0.1'], '127.0.0.1'],
      [['127.0.0.1'], '203.0.113.9'],
    ] as const) {
      await using server = await TestConsole.start({ configuration: { trustedProxies } })
      await server.person('ada')
      const browser = server.browser()
      await browser.signIn('ada', password, { headers })
      expect((await browser.get('/api/profile/sessions')).body.sessions[0].address).toBe(address)
    }
  })

  test('two lengths of one body are refused by the parser', async () => {
    await using server = await TestConsole.start()
    const { status } = await server.raw(
      'POST /api/session HTTP/1.1\r\nHost: console.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/session HTTP/1.1\r\nHost: x\r\n\r\n',
    )
    expect(status).toEqual([400])
  })
})
