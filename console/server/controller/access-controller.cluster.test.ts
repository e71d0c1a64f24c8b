import { KubeClient } from '@keelson/kube'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Accounts as Records } from '../model/accounts.ts'
import { Accounts } from '../service/accounts/accounts.ts'
import { Tokens } from '../service/accounts/tokens.ts'
import { Gate } from '../service/gate.ts'
import { PersonClients } from '../service/person-clients.ts'
import { AccessCluster } from '../testing/access-cluster.fixture.ts'
import type { Browser } from '../testing/browser.fixture.ts'
import { TestConsole } from '../testing/console.fixture.ts'
import { accessController } from './access-controller.ts'

const first = 'first words of somebody'
const own = 'other words of the same'

let stack: AsyncDisposableStack
let cluster: AccessCluster
let server: TestConsole
let admin: Browser

beforeAll(async () => {
  await using starting = new AsyncDisposableStack()
  cluster = starting.use(await AccessCluster.start())
  const account = await cluster.controlPlane.serviceAccountKubeconfig('keelson-system', 'keelson-console')
  const client = starting.use(await KubeClient.fromKubeconfig(account, { fieldManager: 'keelson-console' }))
  const clients = starting.use(new PersonClients({ client, cluster: cluster.server }))
  server = starting.use(
    await TestConsole.start({
      withDatabase: (orm, clock) => {
        const gate = new Gate({ client, people: clients })
        const accounts = new Accounts({ clients, gate, records: new Records(orm, clock) })
        const tokens = new Tokens({ clients, accounts, cluster: cluster.server })
        return { controllers: [accessController(accounts, tokens)] }
      },
    }),
  )
  admin = await server.signedIn('admin')
  stack = starting.move()
})

afterAll(async () => {
  await stack?.disposeAsync()
})

async function entries(action?: string) {
  return server.audit.list({ action }, { limit: 200 })
}

describe('an administrator', () => {
  test('makes a person who may only read; what she may not do is refused by Kubernetes', async () => {
    const grants = [{ kind: 'Role', role: 'keelson-viewer', namespaces: [] }]
    const wanted = { name: 'vera', type: 'Person', displayName: 'Vera', password: first, grants }
    const created = await admin.post('/api/accounts', wanted)
    expect(created).toMatchObject({ status: 200, body: { name: 'vera', grants, signIn: 'Enabled', others: [] } })

    const vera = server.browser()
    expect(await vera.signIn('vera', first)).toMatchObject({ body: { me: { mustChangePassword: true } } })
    expect(await vera.get('/api/accounts')).toMatchObject({ status: 403, body: { code: 'PasswordChangeRequired' } })
    expect(await vera.post('/api/profile/password', { current: first, next: own })).toMatchObject({ status: 204 })
    // A new session has begun.
    await vera.open()

    const more = [{ kind: 'Role', role: 'keelson-admin', namespaces: [] }]
    for (const attempt of [
      () => vera.get('/api/accounts'),
      () => vera.get('/api/accounts/admin'),
      () => vera.get('/api/accounts/vera/tokens'),
      () => vera.post('/api/accounts', { ...wanted, name: 'other' }),
      () => vera.send('PUT', '/api/accounts/vera/grants', { body: { grants: more } }),
      () => vera.post('/api/accounts/admin/password', { password: 'words of an intruder' }),
      () => vera.send('PUT', '/api/accounts/admin/sign-in', { body: { enabled: false } }),
      () => vera.post('/api/accounts/admin/tokens', { type: 'LongLived' }),
      () => vera.send('DELETE', '/api/accounts/admin'),
    ]) {
      const { status, body } = await attempt()
      expect([status, body]).toEqual([
        403,
        expect.objectContaining({
          code: 'Forbidden',
          kubernetes: { status: 403, reason: 'Forbidden' },
          message: expect.stringContaining('User "system:serviceaccount:keelson-users:vera" cannot'),
        }),
      ])
    }
    expect(await entries('setGrants')).toMatchObject([{ actor: 'vera', object: 'accounts/vera', outcome: 'Denied' }])
  })

  test('sees fields that are wrong, and which', async () => {
    const wanted = { name: 'wrong', type: 'Person', displayName: 'W', grants: [] }
    for (const [body, status, problem] of [
      [{ ...wanted, name: 'Wrong_' }, 400, { field: 'name' }],
      [{ ...wanted, name: 'admin' }, 409, { code: 'AccountExists', field: 'name' }],
      [{ ...wanted, password: 'passwordpassword' }, 422, { code: 'PasswordRefused', field: 'password' }],
      [
        { ...wanted, grants: [{ kind: 'Role', role: 'keelson-access', namespaces: ['a'] }] },
        422,
        { code: 'GrantInvalid', field: 'grants[0].namespaces' },
      ],
      [{ ...wanted, grants: [{ kind: 'Role', role: 'cluster-admin', namespaces: [] }] }, 400, {}],
    ] as const)
      expect(await admin.post('/api/accounts', body)).toMatchObject({ status, body: problem })
    expect(await admin.get('/api/accounts/wrong')).toMatchObject({ status: 404, body: { code: 'AccountNotFound' } })
    const self = await admin.send('DELETE', '/api/accounts/admin')
    expect(self).toMatchObject({ status: 409, body: { code: 'OwnAccount' } })
  })

  test('gives out a token once; neither it nor a password gets into the audit or the log', async () => {
    const script = { name: 'robot', type: 'Script', displayName: 'R', grants: [] }
    expect(await admin.post('/api/accounts', script)).toMatchObject({ status: 200 })
    const expiring = { type: 'Expiring', expirationSeconds: 600 }
    const given = await admin.post('/api/accounts/robot/tokens', expiring)
    expect(given).toMatchObject({ status: 200, body: { token: { type: 'Expiring' }, kubeconfig: expect.any(String) } })
    const { token, value } = given.body as { token: { name: string }; value: string }
    expect((await admin.get('/api/accounts/robot/tokens')).body).toEqual({ tokens: [token] })
    const revoked = await admin.send('DELETE', `/api/accounts/robot/tokens/${token.name}`)
    expect(revoked.status).toBe(204)
    expect((await admin.get('/api/accounts/robot/tokens')).body).toEqual({ tokens: [] })

    expect(await entries('createToken')).toContainEqual(
      expect.objectContaining({ object: `accounts/robot/${token.name}`, outcome: 'Succeeded' }),
    )
    expect(await entries('createAccount')).toContainEqual(
      expect.objectContaining({ object: 'accounts/robot', outcome: 'Succeeded' }),
    )
    const all = JSON.stringify([await entries(), server.log])
    for (const secret of [value, first, own]) expect(all).not.toContain(secret)
  })

  test('ends sessions by a new password, by keeping from signing in and by deletion', async () => {
    const wanted = { name: 'otto', type: 'Person', displayName: 'O', password: first, grants: [] }
    await admin.post('/api/accounts', wanted)
    const isIn = async (browser: Browser) => (await browser.get('/api/session')).body.me !== undefined
    const enter = async (password: string) => {
      const browser = server.browser()
      expect(await browser.signIn('otto', password)).toMatchObject({ status: 200 })
      expect(await isIn(browser)).toBe(true)
      return browser
    }
    const before = await enter(first)
    expect(await admin.post('/api/accounts/otto/password', { password: own })).toMatchObject({ status: 204 })
    expect(await isIn(before)).toBe(false)
    const between = await enter(own)
    const off = await admin.send('PUT', '/api/accounts/otto/sign-in', { body: { enabled: false } })
    expect(off).toMatchObject({ status: 200, body: { signIn: 'Disabled' } })
    expect(await isIn(between)).toBe(false)
    expect(await server.browser().signIn('otto', own)).toMatchObject({ status: 401 })
    await admin.send('PUT', '/api/accounts/otto/sign-in', { body: { enabled: true } })
    const last = await enter(own)
    expect(await admin.send('DELETE', '/api/accounts/otto')).toMatchObject({ status: 204 })
    expect(await isIn(last)).toBe(false)
    expect(await server.browser().signIn('otto', own)).toMatchObject({ status: 401 })
  })
})
