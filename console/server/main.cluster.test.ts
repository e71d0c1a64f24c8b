import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@keelson/testbed'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AccessCluster } from './testing/access-cluster.fixture.ts'
import { Browser } from './testing/browser.fixture.ts'
import { ConsoleProcess, freePort } from './testing/console-process.fixture.ts'
import { password } from './testing/console.fixture.ts'

let cluster: AccessCluster
beforeAll(async () => {
  cluster = await AccessCluster.start()
})
afterAll(async () => cluster[Symbol.asyncDispose]())

const spec = { workers: [{ name: 'worker-1' }], http: { port: 7117, api: '/v1/facts', method: 'GET' }, dryRun: true }

test('the whole console, with its own rights alone: the first administrator, a reader, and what Kubernetes refuses that one', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'keelson-console-process-'))
  const port = await freePort()
  const address = new URL(`http://127.0.0.1:${port}`)
  await writeFile(join(folder.path, 'secret'), 'q8Zk2Vt0uYw4RrB7nXc1LmP9sDf6GhJ3')
  await using server = new ConsoleProcess(address, {
    KEELSON_CONSOLE_BIND_PORT: String(port),
    KEELSON_CONSOLE_DATABASE_URL: `file:${join(folder.path, 'console.db')}`,
    KEELSON_CONSOLE_SESSION_SECRET_FILE: join(folder.path, 'secret'),
    KEELSON_CONSOLE_KUBECONFIG: await cluster.controlPlane.serviceAccountKubeconfig(
      'keelson-system',
      'keelson-console',
    ),
  })
  await eventually('it is ready', async () => (await server.listens()) === 200, 20_000)

  const admin = new Browser(address, address.origin)
  await admin.open()
  const made = await admin.post('/api/bootstrap', {
    token: await server.bootstrapToken(),
    displayName: 'Ada',
    password,
  })
  admin.csrfToken = made.body.csrfToken as string
  expect((await admin.get('/api/permissions')).body).toMatchObject({
    listHosts: true,
    manageAccess: true,
    readAudit: true,
  })

  const request = { namespace: 'default', name: 'facts', spec }
  expect(await admin.post('/api/requests', request)).toMatchObject({
    status: 200,
    body: { metadata: { name: 'facts' } },
  })
  const viewer = { kind: 'Role', role: 'keelson-viewer', namespaces: [] }
  const person = {
    name: 'eve',
    type: 'Person',
    displayName: 'Eve',
    password: 'a first password of eve',
    grants: [viewer],
  }
  // A first password may hold no name; the name of the account is one.
  expect((await admin.post('/api/accounts', person)).status).toBe(422)
  const first = 'a first password of hers'
  expect((await admin.post('/api/accounts', { ...person, password: first })).status).toBe(200)

  const reader = new Browser(address, address.origin)
  await reader.signIn('eve', first)
  expect((await reader.get('/api/requests/default/facts')).body).toMatchObject({ code: 'PasswordChangeRequired' })
  expect((await reader.post('/api/profile/password', { current: first, next: 'her own words, all four' })).status).toBe(
    204,
  )
  await reader.open()
  expect((await reader.get('/api/requests/default/facts')).status).toBe(200)
  expect(await reader.send('DELETE', '/api/requests/default/facts')).toMatchObject({
    status: 403,
    body: {
      kubernetes: { status: 403, reason: 'Forbidden' },
      message: expect.stringContaining('keelson-users:eve') as string,
    },
  })
  expect((await reader.get('/api/audit')).status).toBe(403)

  const { entries } = (await admin.get('/api/audit?outcome=Denied')).body
  expect(entries).toMatchObject([
    { actor: 'eve', action: 'listAudit', status: 403 },
    { actor: 'eve', action: 'deleteRequest', object: 'hostrequests/default/facts', status: 403 },
    { actor: 'eve', action: 'getRequest', status: 403 },
  ])
  const file = await admin.get('/api/audit/export?action=createAccount')
  expect(file.text.trimEnd().split('\r\n')).toHaveLength(3)
  expect(file.text + server.log).not.toContain(first)

  expect(await server.stop('SIGTERM')).toEqual([0, null])
}, 60_000)
