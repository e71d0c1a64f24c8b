import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@keelson/testbed'
import { expect, test } from 'vitest'
import { Browser } from './testing/browser.fixture.ts'
import { ConsoleProcess, freePort } from './testing/console-process.fixture.ts'
import { password } from './testing/console.fixture.ts'

/** Of a cluster that nobody answers for. */
const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}]
users: [{name: a, user: {token: none}}]
contexts: [{name: a, context: {cluster: a, user: a}}]
current-context: a
`

test('starts, tells the link once, is killed in the middle of a call, and knows everything again', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'keelson-console-process-'))
  const port = await freePort()
  const address = new URL(`http://127.0.0.1:${port}`)
  const files = { kubeconfig, secret: 'q8Zk2Vt0uYw4RrB7nXc1LmP9sDf6GhJ3' }
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder.path, name), content)
  const environment = {
    KEELSON_CONSOLE_BIND_PORT: String(port),
    KEELSON_CONSOLE_DATABASE_URL: `file:${join(folder.path, 'console.db')}`,
    KEELSON_CONSOLE_SESSION_SECRET_FILE: join(folder.path, 'secret'),
    KEELSON_CONSOLE_KUBECONFIG: join(folder.path, 'kubeconfig'),
  }
  const browser = new Browser(address, address.origin)

  {
    await using first = new ConsoleProcess(address, environment)
    // It answers, but nobody should be sent there before it has seen the cluster.
    expect(await first.listens()).toBe(503)
    const token = await first.bootstrapToken()
    expect(first.log).toContain(`"${address.origin}/bootstrap#${token}"`)
    await browser.open()
    const { status, body } = await browser.post('/api/bootstrap', { token, displayName: 'Ada', password })
    expect(status).toBe(200)
    browser.csrfToken = body.csrfToken as string
    // Kubernetes does not answer: an intent is written, and the kill comes before the outcome or after it.
    const lost = browser.post('/api/requests/default/a/pause', {}).catch(() => undefined)
    expect(await first.stop('SIGKILL')).toEqual([null, 'SIGKILL'])
    await lost
  }

  await using second = new ConsoleProcess(address, environment)
  expect(await second.listens()).toBe(503)
  expect((await browser.get('/api/session')).body.me).toMatchObject({ name: 'admin', displayName: 'Ada' })
  expect((await browser.send('PATCH', '/api/profile', { body: { theme: 'dark' } })).status).toBe(200)
  expect((await browser.post('/api/requests/default/a/pause', {})).status).toBe(502)
  expect(second.log).not.toContain('bootstrap#')
  expect(await second.stop('SIGTERM')).toEqual([0, null])
  expect(second.log).toContain('console stopped')
}, 60_000)

test('a setting that is wrong ends it at once, and is named', async () => {
  const address = new URL('http://127.0.0.1:1')
  await using process = new ConsoleProcess(address, { KEELSON_CONSOLE_BIND_PORT: 'high' })
  await eventually('it has ended', () => process.log.includes('configuration refused'), 20_000)
  expect(process.log).toContain('KEELSON_CONSOLE_BIND_PORT: give a port')
}, 30_000)
