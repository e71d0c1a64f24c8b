import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { KubeError } from './errors.ts'
import { loadInCluster } from './in-cluster.ts'
import { loadKubeconfig } from './kubeconfig.ts'

const secret = 'n0t-f0r-l0gs'
const pem = `-----BEGIN CERTIFICATE-----\n${secret}\n-----END CERTIFICATE-----\n`
const base64 = Buffer.from(pem).toString('base64')

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keelson-kubeconfig-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

async function write(name: string, content: string): Promise<string> {
  await writeFile(join(folder, name), content)
  return join(folder, name)
}

function kubeconfig(user: unknown, cluster: unknown = { server: 'https://a:6443' }): Promise<string> {
  const document = {
    'current-context': 'c',
    contexts: [
      { name: 'c', context: { cluster: 'k', user: 'u', namespace: 'n' } },
      { name: 'other', context: { cluster: 'k2' } },
    ],
    clusters: [
      { name: 'k', cluster },
      { name: 'k2', cluster: { server: 'https://b:6443' } },
    ],
    users: [{ name: 'u', user }],
  }
  return write('config', stringify(document))
}

describe('loadKubeconfig', () => {
  test('reads data in place before files, and files relative to itself', async () => {
    await write('ca.crt', pem)
    const path = await kubeconfig(
      { 'client-certificate-data': base64, 'client-certificate': 'none', 'client-key': 'ca.crt', tokenFile: 'token' },
      { server: 'https://a:6443', 'certificate-authority': 'ca.crt', 'tls-server-name': 'kubernetes' },
    )
    expect(await loadKubeconfig(path)).toEqual({
      server: 'https://a:6443',
      ca: pem,
      serverName: 'kubernetes',
      credentials: { certificate: pem, key: pem, token: undefined, tokenFile: join(folder, 'token') },
      namespace: 'n',
    })
    expect(await loadKubeconfig(path, { context: 'other' })).toMatchObject({
      server: 'https://b:6443',
      credentials: {},
    })
  })

  test.each([
    ['exec', { exec: { command: 'login' } }],
    ['auth-provider', { 'auth-provider': { name: 'gcp' } }],
    ['password', { username: '', password: secret }],
    ['as', { token: secret, as: 'somebody' }],
  ])('refuses %s rather than ignoring it', async (field, user) => {
    await expect(loadKubeconfig(await kubeconfig(user))).rejects.toMatchObject({
      code: 'KubeconfigUnsupported',
      message: expect.stringContaining(`users[u].user.${field} `) as string,
    })
  })

  test.each([
    ['insecure-skip-tls-verify', true],
    ['proxy-url', 'http://p'],
  ])('refuses a cluster with %s', async (field, value) => {
    const path = await kubeconfig({}, { server: 'https://a', [field]: value })
    await expect(loadKubeconfig(path)).rejects.toMatchObject({ code: 'KubeconfigUnsupported' })
  })

  test.each([
    ['broken YAML', `users: [{token: "${secret}]`],
    ['a stray scalar', `a: b\n${secret}`],
    ['a block scalar gone wrong', `token: |${secret}\n x`],
    ['an alias without an anchor', `token: *${secret}`],
    ['a list', `- ${secret}`],
    ['no context', `token: ${secret}`],
    ['a context that is not there', `{current-context: c, token: ${secret}}`],
    [
      'a server that is no string',
      '{current-context: c, contexts: [{name: c, context: {cluster: k}}], clusters: [{name: k, cluster: {server: 5}}]}',
    ],
  ])('%s is told without quoting the file', async (_, content) => {
    const error: unknown = await write('config', content)
      .then((path) => loadKubeconfig(path))
      .catch((e: unknown) => e)
    expect(error).toBeInstanceOf(KubeError)
    expect(error).toMatchObject({ code: 'KubeconfigInvalid' })
    expect(String(error)).toContain(join(folder, 'config'))
    expect(JSON.stringify([String(error), (error as Error).cause])).not.toContain(secret)
  })

  test('a certificate without its key, what is no PEM, and a file that is not there', async () => {
    const load = async (user: unknown) => loadKubeconfig(await kubeconfig(user))
    await expect(load({ 'client-certificate-data': base64 })).rejects.toMatchObject({ code: 'KubeconfigInvalid' })
    await expect(load({ 'client-key-data': 'bm90' })).rejects.toMatchObject({ code: 'KubeconfigInvalid' })
    await expect(load({ 'client-key': 'none' })).rejects.toMatchObject({ code: 'KubeconfigUnreadable' })
  })
})

describe('loadInCluster', () => {
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }

  test('names the token by its file and takes an IPv6 address', async () => {
    await write('ca.crt', pem)
    await write('namespace', 'keelson-system\n')
    expect(await loadInCluster(environment, folder)).toEqual({
      server: 'https://[fd00::1]:443',
      ca: pem,
      credentials: { tokenFile: join(folder, 'token') },
      namespace: 'keelson-system',
    })
  })

  test('outside a pod says so', async () => {
    await expect(loadInCluster({}, folder)).rejects.toMatchObject({ code: 'NotInCluster' })
    await expect(loadInCluster(environment, folder)).rejects.toMatchObject({ code: 'NotInCluster' })
  })
})
