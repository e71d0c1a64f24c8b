import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestConsole } from '../testing/console.fixture.ts'

const script = `console.log(${'1,'.repeat(2_000)}1)`
let folder: Awaited<ReturnType<typeof mkdtempDisposable>>
let server: TestConsole
beforeAll(async () => {
  folder = await mkdtempDisposable(join(tmpdir(), 'keelson-console-pages-'))
  const dist = join(folder.path, 'dist')
  await mkdir(join(dist, 'assets'), { recursive: true })
  await writeFile(join(folder.path, 'secret.txt'), 'secret')
  await writeFile(join(dist, '.env'), 'secret')
  await writeFile(join(dist, 'index.html'), '<!doctype html><style nonce="__CSP_NONCE__"></style><p>pages</p>')
  await writeFile(join(dist, 'assets', 'index-abc123.js'), script)
  await writeFile(join(dist, 'assets', 'index-abc123.js.br'), brotliCompressSync(script))
  await writeFile(join(dist, 'favicon.svg'), '<svg/>')
  server = await TestConsole.start({ web: dist, configuration: { publicUrl: new URL('https://console.test') } })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await folder.remove()
})

describe('headers', () => {
  test('of a page: nothing but our own files, styles with the nonce of this answer, no frames', async () => {
    const browser = server.browser()
    const [first, second] = [await browser.get('/'), await browser.get('/')]
    const [, nonce] = /nonce="([^"]+)"/.exec(first.text)!
    expect(nonce).toMatch(/^[A-Za-z0-9+/]{22}==$/)
    expect(second.text).not.toContain(nonce)
    const policy = String(first.headers['content-security-policy']).split(';').toSorted()
    expect(policy).toEqual([
      `base-uri 'none'`,
      `connect-src 'self'`,
      `default-src 'none'`,
      `font-src 'self'`,
      `form-action 'self'`,
      `frame-ancestors 'none'`,
      `img-src 'self' data:`,
      `require-trusted-types-for 'script'`,
      `script-src 'self'`,
      `style-src 'self' 'nonce-${nonce}'`,
    ])
    expect(first.headers).toMatchObject({
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'strict-transport-security': 'max-age=31536000',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    })
    expect(first.headers).not.toHaveProperty('x-powered-by')
  })

  test('of every other answer too, whatever it says', async () => {
    const browser = server.browser()
    for (const [method, path] of [
      ['GET', '/api/session'],
      ['GET', '/api/nothing'],
      ['GET', '/api/profile/sessions'],
      ['POST', '/api/session'],
      ['GET', '/%zz'],
    ] as const) {
      const { headers } = await browser.send(method, path)
      expect(headers['content-security-policy']).toContain(`frame-ancestors 'none'`)
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['cache-control']).toBe('no-store')
    }
  })

  test('on plain http say nothing of https', async () => {
    await using plain = await TestConsole.start()
    expect((await plain.browser().get('/api/session')).headers).not.toHaveProperty('strict-transport-security')
  })
})

describe('pages', () => {
  test.each([
    '/',
    '/hosts',
    '/hosts/worker-1.example.org',
    '/requests/default/forwarding',
    '/access/ada',
    '/sign-in',
    '/bootstrap',
  ])('%s is the one page', async (path) => {
    const answer = await server.browser().get(path)
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
    expect(answer.text).toContain('<p>pages</p>')
  })

  test('files bear a digest in their name and are kept for ever, compressed where the browser can', async () => {
    const browser = server.browser()
    const path = '/assets/index-abc123.js'
    const plain = await browser.get(path)
    expect(plain).toMatchObject({ status: 200, text: script })
    expect(plain.headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': 'application/javascript; charset=utf-8',
    })
    const packed = await browser.get(path, { headers: { 'accept-encoding': 'gzip, br' } })
    expect(packed.headers['content-encoding']).toBe('br')
    expect(packed.text.length).toBeLessThan(script.length / 2)
    expect((await browser.get('/favicon.svg')).headers['cache-control']).toBe('no-cache')
    expect((await browser.get(`${path}.br`)).status).toBe(404)
  })

  test('an answer of the API is never compressed: it holds tokens', async () => {
    const { headers } = await server.browser().get('/api/session', { headers: { 'accept-encoding': 'gzip, br' } })
    expect(headers).not.toHaveProperty('content-encoding')
  })

  test('that are not built say so', async () => {
    await using bare = await TestConsole.start()
    expect(await bare.browser().get('/hosts')).toMatchObject({ status: 503, body: { code: 'PagesMissing' } })
    expect(await bare.browser().get('/api/session')).toMatchObject({ status: 200 })
  })
})

describe('path traversal', () => {
  test.each([
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/..%2fsecret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/%2e%2e%2fsecret.txt',
    '/..%5csecret.txt',
    '/..%252fsecret.txt',
    '/assets/%00../../secret.txt',
    '//secret.txt',
    '/.env',
    '/%2eenv',
    '/index.html/../../secret.txt',
    '/hosts/../../secret.txt',
    '/hosts/..%2f..%2fsecret.txt',
    '/etc/passwd',
    'http://other.test/../secret.txt',
  ])('%s shows no file outside of the pages', async (path) => {
    const { status, text } = await server.browser().get(path)
    expect(text).not.toContain('secret')
    expect(text).not.toContain('root:')
    expect([200, 400, 404]).toContain(status)
  })
})

describe('open redirect', () => {
  test.each([
    '//evil.test',
    '//evil.test/%2e%2e',
    '/\\evil.test',
    '/%5cevil.test',
    '/sign-in?next=https://evil.test',
    '/hosts/',
    '/assets',
    '/%0d%0aLocation:%20https://evil.test',
  ])('%s leads nowhere else', async (path) => {
    const { status, headers, text } = await server.browser().get(path)
    expect(Math.floor(status / 100)).not.toBe(3)
    expect(headers).not.toHaveProperty('location')
    expect(text).not.toContain('evil')
  })
})

describe('oversized input', () => {
  const large = 'x'.repeat(600 * 1_024)

  test('a body beyond the bound is refused, told or untold', async () => {
    const browser = await server.signedIn('ada')
    expect(await browser.send('PATCH', '/api/profile', { body: { displayName: large } })).toMatchObject({
      status: 413,
      body: { code: 'BodyTooLarge' },
    })
    const chunked = { 'content-length': undefined, 'transfer-encoding': 'chunked' }
    expect(
      (await browser.send('PATCH', '/api/profile', { body: { displayName: large }, headers: chunked })).status,
    ).toBe(413)
  })

  test('before a sign-in the bound is 16 KiB', async () => {
    const browser = server.browser()
    await browser.open()
    expect((await browser.post('/api/session', { name: 'a', password: 'x'.repeat(17 * 1_024) })).status).toBe(413)
    expect((await browser.post('/api/session', { name: 'a', password: 'x'.repeat(300) })).status).toBe(400)
  })

  test('a path, a header and a query beyond the bound', async () => {
    const browser = server.browser()
    expect((await browser.get(`/hosts/${'x'.repeat(600)}`)).status).toBe(414)
    expect((await browser.get('/api/session', { headers: { 'x-long': 'x'.repeat(20_000) } })).status).toBe(431)
    expect((await browser.get(`/api/session?${'a=b&'.repeat(3_000)}`)).status).toBe(400)
  })
})

describe('input', () => {
  test.each([
    ['a form', 'a=b', 'application/x-www-form-urlencoded', 415, 'ContentTypeUnsupported'],
    ['plain text', '{"theme":"dark"}', 'text/plain', 415, 'ContentTypeUnsupported'],
    ['JSON of another name', '{"theme":"dark"}', 'application/merge-patch+json', 415, 'ContentTypeUnsupported'],
    ['no JSON', '{"theme":', 'application/json', 400, 'BodyInvalid'],
    ['nothing', '', 'application/json', 400, 'BodyInvalid'],
    ['a prototype', '{"__proto__":{"theme":"dark"}}', 'application/json', 400, 'BodyInvalid'],
    ['an unknown field', '{"theme":"dark","admin":true}', 'application/json', 400, 'InputInvalid'],
    ['a list', '["theme"]', 'application/json', 400, 'InputInvalid'],
  ])('%s is refused', async (_, raw, type, status, code) => {
    const browser = await server.signedIn('ada')
    const answer = await browser.send('PATCH', '/api/profile', { raw, headers: { 'content-type': type } })
    expect(answer).toMatchObject({ status, body: { code } })
  })

  test('a parameter that the route does not have is refused and named', async () => {
    const { status, body } = await server.browser().get('/api/session?debug=1')
    expect(status).toBe(400)
    expect(body.code).toBe('InputInvalid')
  })

  test('what is not there says so in the form of every problem', async () => {
    expect(await server.browser().get('/api/nothing')).toMatchObject({ status: 404, body: { code: 'NotFound' } })
  })
})
