import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readConfiguration } from './read-configuration.ts'
import { settingNames, settingsTable, variableOf } from './settings.ts'

const good = 'q8Zk2Vt0uYw4RrB7nXc1LmP9sDf6GhJ3'

async function folder() {
  const made = await mkdtempDisposable(join(tmpdir(), 'keelson-console-configuration-'))
  const write = async (name: string, content: string) => {
    await writeFile(join(made.path, name), content)
    return join(made.path, name)
  }
  return { write, [Symbol.asyncDispose]: async () => made.remove() }
}

/** Reads with a good secret and these variables, named as in the file. */
async function read(settings: Record<string, string>, secret = good) {
  await using files = await folder()
  const environment: Record<string, string> = {
    KEELSON_CONSOLE_SESSION_SECRET_FILE: await files.write('secret', secret),
    PATH: '/bin',
  }
  for (const [name, value] of Object.entries(settings)) environment[variableOf(name as 'bindPort')] = value
  return await readConfiguration([], environment)
}

test('needs the session secret alone', async () => {
  expect(await read({})).toEqual({
    bindAddress: '127.0.0.1',
    bindPort: 7118,
    publicUrl: new URL('http://127.0.0.1:7118'),
    databaseUrl: 'file:/var/lib/keelson-console/console.db',
    sessionSecrets: [good],
    kubeconfig: undefined,
    kubernetesPublicUrl: undefined,
    trustedProxies: [],
    sessionIdleSeconds: 1_800,
    sessionAbsoluteSeconds: 43_200,
    administrator: 'admin',
    auditRetentionDays: 400,
    pages: undefined,
    logLevel: 'info',
  })
})

test('reads the file, and the environment wins', async () => {
  await using files = await folder()
  const secret = await files.write('secret', `${good}\n\n${good.toLowerCase()}\n`)
  const database = await files.write('database', 'postgres://u:p@db/console\n')
  const file = await files.write(
    'console.yaml',
    `bindAddress: '::'\nbindPort: 8443\npublicUrl: https://console.example.org\nsessionSecretFile: ${secret}\n` +
      `databaseUrlFile: ${database}\ntrustedProxies: [10.0.0.7]\nlogLevel: debug\n`,
  )
  const environment = { KEELSON_CONSOLE_BIND_PORT: '9000', KEELSON_CONSOLE_TRUSTED_PROXIES: '10.0.0.8, fd00::/8,' }
  const expected = {
    bindAddress: '::',
    bindPort: 9_000,
    publicUrl: new URL('https://console.example.org'),
    databaseUrl: 'postgres://u:p@db/console',
    sessionSecrets: [good, good.toLowerCase()],
    trustedProxies: ['10.0.0.8', 'fd00::/8'],
    logLevel: 'debug',
  }
  expect(await readConfiguration(['--config', file], environment)).toMatchObject(expected)
  expect(await readConfiguration([], { ...environment, KEELSON_CONSOLE_CONFIG: file })).toMatchObject(expected)
})

describe('what is wrong is named, with the remedy', () => {
  test.each([
    [{ bindAddress: 'localhost' }, /KEELSON_CONSOLE_BIND_ADDRESS: give an IP address/],
    [{ bindPort: '0' }, /KEELSON_CONSOLE_BIND_PORT: give a port/],
    [{ bindPort: 'http' }, /KEELSON_CONSOLE_BIND_PORT: give a port/],
    [{ publicUrl: 'console.example.org' }, /KEELSON_CONSOLE_PUBLIC_URL: give scheme, host and port/],
    [{ publicUrl: 'https://console.example.org/keelson' }, /KEELSON_CONSOLE_PUBLIC_URL: give scheme/],
    [{ bindAddress: '0.0.0.0' }, /KEELSON_CONSOLE_PUBLIC_URL is missing: .* https:\/\//],
    [
      { bindAddress: '0.0.0.0', publicUrl: 'http://console.example.org' },
      /KEELSON_CONSOLE_BIND_ADDRESS: passwords would cross the network in the clear: .*trustedProxies/,
    ],
    [{ databaseUrl: 'mysql://x' }, /KEELSON_CONSOLE_DATABASE_URL: give file:/],
    [
      { databaseUrlFile: '/nowhere/url' },
      /KEELSON_CONSOLE_DATABASE_URL_FILE: \/nowhere\/url cannot be read \(ENOENT\)/,
    ],
    [{ databaseUrlFile: '/dev/null' }, /KEELSON_CONSOLE_DATABASE_URL_FILE: \/dev\/null holds no URL/],
    [{ databaseUrl: 'file:x', databaseUrlFile: '/dev/null' }, /KEELSON_CONSOLE_DATABASE_URL_FILE: give this or/],
    [{ kubeconfig: 'config' }, /KEELSON_CONSOLE_KUBECONFIG: give an absolute path/],
    [{ kubernetesPublicUrl: 'http://k8s:6443' }, /KEELSON_CONSOLE_KUBERNETES_PUBLIC_URL: give https/],
    [{ trustedProxies: '0.0.0.0/0' }, /KEELSON_CONSOLE_TRUSTED_PROXIES: give IP addresses or ranges/],
    [{ trustedProxies: 'proxy' }, /KEELSON_CONSOLE_TRUSTED_PROXIES: give IP addresses or ranges/],
    [{ sessionIdleSeconds: '5' }, /KEELSON_CONSOLE_SESSION_IDLE_SECONDS: give at least 60/],
    [{ sessionAbsoluteSeconds: '600' }, /KEELSON_CONSOLE_SESSION_ABSOLUTE_SECONDS: give at least sessionIdleSeconds/],
    [{ auditRetentionDays: 'for ever' }, /KEELSON_CONSOLE_AUDIT_RETENTION_DAYS: give a number of days/],
    [{ pages: 'web' }, /KEELSON_CONSOLE_PAGES: give an absolute path/],
    [{ logLevel: 'loud' }, /KEELSON_CONSOLE_LOG_LEVEL: give debug/],
    [
      { pubicUrl: 'http://x' },
      /KEELSON_CONSOLE_PUBIC_URL: there is no such setting; there are .*KEELSON_CONSOLE_PUBLIC_URL/,
    ],
    [{ bindPort: '0', logLevel: 'loud' }, /KEELSON_CONSOLE_BIND_PORT: .*; KEELSON_CONSOLE_LOG_LEVEL: /],
  ] as [Record<string, string>, RegExp][])('%j', async (settings, message) => {
    await expect(read(settings)).rejects.toMatchObject({
      code: 'ConfigurationRefused',
      message: expect.stringMatching(message) as string,
    })
  })

  test.each([
    ['', /SECRET_FILE: .* is empty: run openssl rand -base64 48 > \//],
    ['short', /SECRET_FILE: secret 1 of .* is weak .*: run openssl/],
    ['changeme'.repeat(8), /secret 1 of .* is weak/],
    [`${good}\nold`, /secret 2 of .* is weak/],
    [`${good}\n`.repeat(9), /holds more than 8 secrets: take the oldest ones out/],
  ])('a session secret of %j', async (secret, message) => {
    const error = await read({}, secret).catch((reason: unknown) => reason as Error)
    expect(error).toMatchObject({ code: 'ConfigurationRefused', message: expect.stringMatching(message) as string })
    expect(secret !== '' && (error as Error).message.includes(secret.slice(0, 20))).toBe(false)
  })

  test.each([
    ['bindPort: 70000', /console\.yaml: bindPort: give a port/],
    ['pubicUrl: x', /console\.yaml: pubicUrl: there is no such setting; there are bindAddress, /],
    ['- port', /is no list of settings/],
    ['{', /--config: .*console\.yaml cannot be read/],
    ['a: &a x\nlogLevel: *a', /--config: .*console\.yaml cannot be read/],
  ])('in the file: %j', async (content, message) => {
    await using files = await folder()
    const file = await files.write('console.yaml', content)
    await expect(readConfiguration(['--config', file], {})).rejects.toThrow(message)
  })

  test('nothing at all', async () => {
    await expect(readConfiguration([], {})).rejects.toThrow(
      /KEELSON_CONSOLE_SESSION_SECRET_FILE \(in the file sessionSecretFile\) is missing: .*openssl rand/,
    )
  })
})

test('takes no notice of what a Service named keelson-console brings into Pods', async () => {
  const links = { SERVICE_HOST: '10.0.0.1', SERVICE_PORT: '80', SERVICE_PORT_HTTP: '80', PORT: 'tcp://10.0.0.1:80' }
  const more = { PORT_80_TCP: 'tcp://10.0.0.1:80', PORT_80_TCP_PROTO: 'tcp' }
  const entries = Object.entries({ ...links, ...more }).map(([name, value]) => [`KEELSON_CONSOLE_${name}`, value])
  await using files = await folder()
  const secret = { KEELSON_CONSOLE_SESSION_SECRET_FILE: await files.write('secret', good) }
  expect(await readConfiguration([], { ...secret, ...Object.fromEntries(entries) })).toMatchObject({ bindPort: 7118 })
})

test('listens on every address behind a proxy that is named', async () => {
  const { publicUrl } = await read({
    bindAddress: '0.0.0.0',
    publicUrl: 'http://console.example.org',
    trustedProxies: '10.0.0.1',
  })
  expect(publicUrl.host).toBe('console.example.org')
})

test('every setting has a row in the table', () => {
  const table = settingsTable()
  for (const name of settingNames)
    expect(table).toMatch(new RegExp(`^\\| \`${name}\` \\| \`${variableOf(name)}\` \\| .* \\| .{10}`, 'm'))
})
