import { ConflictError, ForbiddenError } from '@keelson/kube'
import { describe, expect, test } from 'vitest'
import { createAccount } from '../../protocol/access.ts'
import { createRequest, pauseRequest } from '../../protocol/requests.ts'
import { getPermissions } from '../../protocol/permissions.ts'
import { Audit } from '../model/audit.ts'
import { password, TestConsole, type TestConsoleOptions } from '../testing/console.fixture.ts'
import { auditController, auditExport, type RightGate } from './audit-controller.ts'
import { ProblemError } from './problem-error.ts'
import type { Controller } from './serve.ts'

/** ada may read the audit, nobody else. */
const gate: RightGate = {
  allows: async (account, { verb, group, resource }) =>
    account === 'ada' && `${verb} ${resource}.${group}` === 'get audits.keelson.dev',
}

async function start(options: TestConsoleOptions = {}) {
  return TestConsole.start({
    ...options,
    withDatabase: (orm, clock) => {
      const parts = { audit: new Audit(orm, clock), gate, clock }
      return { controllers: [auditController(parts)], streams: [auditExport(parts)] }
    },
  })
}

const pausing =
  (handler: () => Promise<never> | void): Controller =>
  (serve) =>
    serve(pauseRequest, async () => handler() as never)

async function entries(server: TestConsole, query = '') {
  const browser = await server.signedIn('ada')
  const { status, body } = await browser.get(`/api/audit${query}`)
  expect(status).toBe(200)
  return body.entries as Record<string, unknown>[]
}

describe('an act leaves an entry', () => {
  test('whose intent is there before the handler runs, and whose outcome is there with the answer', async () => {
    let during: unknown
    const server: TestConsole = await start({
      controllers: [
        (serve) => {
          serve(createRequest, async ({ audit }) => {
            during = (await server.audit.list({ action: 'createRequest' }, { limit: 1 }))[0]
            audit.object('hostrequests/default/other')
            throw new ConflictError({
              code: 'Conflict',
              message: 'somebody was faster',
              status: 409,
              reason: 'Conflict',
            })
          })
        },
      ],
    })
    await using _ = server
    const browser = await server.signedIn('ada')
    const spec = {
      workers: [],
      http: { port: 7117, api: '/v1/sysctl', method: 'POST', parameters: [{ key: 'a', value: 'hidden' }] },
    }
    const answer = await browser.post('/api/requests?check=true', { namespace: 'default', name: 'forwarding', spec })
    expect(answer).toMatchObject({
      status: 409,
      body: { code: 'Conflict', kubernetes: { status: 409, reason: 'Conflict' } },
    })
    expect(during).toMatchObject({
      actor: 'ada',
      object: 'hostrequests/default/forwarding',
      outcome: 'Pending',
      message: '',
    })
    expect(during).not.toHaveProperty('finishedAt')
    const [entry] = await server.audit.list({ action: 'createRequest' }, { limit: 1 })
    expect(entry).toMatchObject({
      actor: 'ada',
      address: '127.0.0.1',
      object: 'hostrequests/default/other',
      outcome: 'Failed',
      status: 409,
      message: 'Conflict: somebody was faster',
      finishedAt: server.clock.now().toISOString(),
    })
    expect(JSON.parse(entry!.detail)).toMatchObject({
      query: { check: 'true' },
      body: { name: 'forwarding', spec: { http: { parameters: [{ key: 'a', value: '(left out)' }] } } },
    })
  })

  test.each([
    ['Succeeded', 204, undefined],
    ['Denied', 403, new ForbiddenError({ code: 'Forbidden', message: 'no', status: 403, reason: 'Forbidden' })],
    ['Failed', 409, new ProblemError(409, { code: 'Busy', message: 'not now' })],
    ['Failed', 500, new Error('a bug with its innards')],
  ] as const)('%s, where the answer is %i', async (outcome, status, error) => {
    await using server = await start({
      controllers: [
        pausing(() => {
          if (error !== undefined) throw error
        }),
      ],
    })
    const browser = await server.signedIn('ada')
    const answer = await browser.post('/api/requests/default/a/pause', {})
    expect(answer.status).toBe(status)
    expect(answer.text).not.toContain('innards')
    const [entry] = await entries(server, '?action=pauseRequest')
    expect(entry).toMatchObject({ action: 'pauseRequest', object: 'hostrequests/default/a', outcome, status })
    expect(entry!['message']).not.toContain('innards')
  })

  test('of which the outcome could not be written', async () => {
    const server: TestConsole = await start({
      controllers: [pausing(() => void server.orm.em.fork().getConnection().execute('drop table audit_entries'))],
    })
    await using _ = server
    const browser = await server.signedIn('ada')
    // It was done: the answer must not say otherwise.
    expect((await browser.post('/api/requests/default/a/pause', {})).status).toBe(204)
    expect(server.log.map(({ msg }) => msg)).toContain('the outcome of an act could not be written')
    // Without an intent nothing is done any more.
    expect((await browser.post('/api/requests/default/a/pause', {})).status).toBe(500)
  })

  test('of signing in, well or not, without the password', async () => {
    await using server = await start()
    await server.person('ada')
    await server.browser().signIn('ada', 'wrong password')
    await server.browser().signIn('nobody', password)
    const found = await entries(server, '?action=signIn')
    expect(found.map(({ actor, object, outcome, status }) => [actor, object, outcome, status])).toEqual([
      ['ada', 'accounts/ada', 'Succeeded', 200],
      ['nobody', 'accounts/nobody', 'Denied', 401],
      ['ada', 'accounts/ada', 'Denied', 401],
    ])
    expect(JSON.stringify(found)).not.toContain('password of')
    for (const { detail } of found) expect(JSON.parse(detail as string).body.password).toBe('(left out)')
    expect(JSON.stringify(server.log)).not.toContain(password)
  })

  test('of making an account, whatever is secret in it', async () => {
    await using server = await start({
      controllers: [
        (serve) => {
          serve(createAccount, async () => {
            throw new ProblemError(409, { code: 'AccountExists', message: 'is there' })
          })
        },
      ],
    })
    const browser = await server.signedIn('ada')
    const body = { name: 'eve', type: 'Person', displayName: 'Eve', password: 'secret words of eve', grants: [] }
    expect((await browser.post('/api/accounts', body)).status).toBe(409)
    const [entry] = await entries(server, '?object=accounts/eve')
    expect(entry).toMatchObject({ action: 'createAccount', object: 'accounts/eve', outcome: 'Failed' })
    expect(entry!['detail']).not.toContain('secret words')
  })
})

describe('a denial leaves an entry', () => {
  test('of reading, where Kubernetes said no', async () => {
    await using server = await start({
      controllers: [
        (serve) => {
          serve(getPermissions, async () => {
            throw new ForbiddenError({ code: 'Forbidden', message: 'eve may not', status: 403, reason: 'Forbidden' })
          })
        },
      ],
    })
    const eve = await server.signedIn('eve')
    expect(await eve.get('/api/permissions?namespace=default')).toMatchObject({
      status: 403,
      body: { code: 'Forbidden', message: 'eve may not', kubernetes: { status: 403, reason: 'Forbidden' } },
    })
    expect(await entries(server, '?outcome=Denied')).toMatchObject([
      { actor: 'eve', action: 'getPermissions', object: 'permissions', status: 403, message: 'Forbidden: eve may not' },
    ])
  })

  test('of reading the audit and of its export', async () => {
    await using server = await start()
    const eve = await server.signedIn('eve')
    for (const path of ['/api/audit', '/api/audit/export'])
      expect(await eve.get(path)).toMatchObject({ status: 403, body: { code: 'Forbidden' } })
    expect((await server.browser().get('/api/audit/export')).status).toBe(401)
    expect(
      (await entries(server, '?outcome=Denied')).map(({ actor, object, action }) => [actor, object, action]),
    ).toEqual([
      ['eve', '/api/audit/export', '/api/audit/export'],
      ['eve', 'audit', 'listAudit'],
    ])
  })

  test('of a forged change', async () => {
    await using server = await start()
    const browser = await server.signedIn('ada')
    await browser.send('PATCH', '/api/profile', { body: { theme: 'dark' }, headers: { 'x-csrf-token': 'x' } })
    const [entry] = await entries(server, '?outcome=Denied')
    expect(entry).toMatchObject({ actor: 'ada', action: 'setPreferences', object: '/api/profile', status: 403 })
    expect(entry!['message']).toContain('CsrfRefused')
  })
})

describe('the list', () => {
  async function filled() {
    const server = await start()
    await server.person('ada')
    const add = async (actor: string, action: string, object: string) => {
      const intent = { actor, action, object, address: '203.0.113.9', detail: '' }
      await server.audit.finish(await server.audit.begin(intent), { outcome: 'Succeeded', status: 200, message: '' })
      server.clock.pass(1_000)
    }
    const from = server.clock.now()
    await add('eve', 'pauseRequest', 'hostrequests/default/a')
    await add('eve', 'pauseRequest', 'hostrequests/default/b%_')
    await add('joe', 'abortRequest', 'hostrequests/other/a')
    await add('joe', 'createAccount', 'accounts/机器')
    return { server, from, [Symbol.asyncDispose]: async () => server[Symbol.asyncDispose]() }
  }

  test.each([
    ['actor=eve', ['hostrequests/default/b%_', 'hostrequests/default/a']],
    ['action=abortRequest', ['hostrequests/other/a']],
    ['object=hostrequests/default/', ['hostrequests/default/b%_', 'hostrequests/default/a']],
    ['object=hostrequests/default/b%25', ['hostrequests/default/b%_']],
    ['object=%25', []],
    ['object=accounts/%E6%9C%BA', ['accounts/机器']],
    ['outcome=Failed', []],
    ['actor=joe&action=createAccount', ['accounts/机器']],
    ['from=2026-01-02T03:04:06.000Z&to=2026-01-02T03:04:07.000Z', ['hostrequests/other/a', 'hostrequests/default/b%_']],
  ])('filtered by %s', async (query, objects) => {
    await using world = await filled()
    const found = await entries(world.server, `?${query}`)
    expect(found.filter(({ action }) => action !== 'signIn').map(({ object }) => object)).toEqual(objects)
  })

  test('comes in pages, the newest first', async () => {
    await using world = await filled()
    const browser = await world.server.signedIn('ada')
    const first = (await browser.get('/api/audit?limit=3')).body
    expect([first.entries.length, first.more]).toEqual([3, true])
    const last = first.entries[2].sequence as number
    const second = (await browser.get(`/api/audit?limit=3&before=${last}`)).body
    expect([second.entries.length, second.more]).toEqual([2, false])
    const sequences = [...first.entries, ...second.entries].map(({ sequence }: { sequence: number }) => sequence)
    expect(sequences).toEqual(sequences.toSorted((a, b) => b - a))
  })

  test.each(['limit=0', 'limit=201', 'outcome=Maybe', 'from=yesterday', 'sort=actor'])(
    'is not asked for by %s',
    async (query) => {
      await using server = await start()
      const browser = await server.signedIn('ada')
      expect(await browser.get(`/api/audit?${query}`)).toMatchObject({ status: 400, body: { code: 'InputInvalid' } })
    },
  )
})

describe('the export', () => {
  const tricky = `=HYPERLINK("https://evil.test"),\r\n@SUM`

  test('as CSV, in which nothing is a formula', async () => {
    await using server = await start()
    const browser = await server.signedIn('ada')
    await server.audit.refuse(
      { actor: '-1+1', action: 'signIn', object: '+accounts', address: '', detail: '' },
      { status: 403, message: tricky },
    )
    const { text, headers } = await browser.get('/api/audit/export?outcome=Denied')
    expect(headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="keelson-audit-2026-01-02.csv"',
      'cache-control': 'no-store',
    })
    const [header, line, end] = text.split('\r\n')
    expect(header).toBe('sequence,time,actor,address,action,object,detail,outcome,status,message,finishedAt')
    expect(line).toContain(
      `,'-1+1,,signIn,'+accounts,,Denied,403,"'=HYPERLINK(""https://evil.test""),\uFFFD\uFFFD@SUM",`,
    )
    expect(end).toBe('')
  })

  test('as lines of JSON, all of them, page by page', async () => {
    await using server = await start()
    const browser = await server.signedIn('ada')
    const intent = { actor: 'eve', action: 'signIn', object: 'accounts/eve', address: '', detail: '' }
    for (let count = 0; count < 1_203; count += 1) await server.audit.begin(intent)
    const { text, headers } = await browser.get('/api/audit/export?format=ndjson&actor=eve')
    expect(headers['content-type']).toBe('application/x-ndjson')
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { sequence: number; actor: string })
    expect(new Set(lines.map(({ sequence }) => sequence)).size).toBe(1_203)
    expect(lines.every(({ actor }) => actor === 'eve')).toBe(true)
  })
})
