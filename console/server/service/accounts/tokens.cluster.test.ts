import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ForbiddenError, kinds, type KubeClient } from '@keelson/kube'
import { eventually } from '@keelson/testbed'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Grant } from '../../../protocol/access.ts'
import { AccessCluster } from '../../testing/access-cluster.fixture.ts'
import { Accounts } from './accounts.ts'
import { Tokens, type WantedToken } from './tokens.ts'

const users = 'keelson-users'
const { signal } = new AbortController()
const grants: Grant[] = [{ kind: 'Role', role: 'keelson-viewer', namespaces: ['team'] }]

let cluster: AccessCluster
let accounts: Accounts
let tokens: Tokens

beforeAll(async () => {
  cluster = await AccessCluster.start()
  const records = {
    find: async () => undefined,
    list: async () => [],
    remove: async () => {},
    create: unused,
    setPassword: unused,
    setEnabled: unused,
  }
  accounts = new Accounts({ clients: cluster, gate: cluster, records })
  tokens = tokensAt()
  await cluster.kubectl('create', 'namespace', 'team')
  for (const name of ['robot', 'other'])
    await accounts.create('admin', { name, type: 'Script', displayName: name, grants }, signal)
  const requests = { group: 'keelson.dev', resource: 'hostrequests', verb: 'list', namespace: 'team' }
  await eventually('the rights count', () => cluster.allows('robot', requests))
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

async function unused(): Promise<never> {
  throw new Error('a script has no password')
}

function tokensAt(more: { readonly now?: () => Date } = {}): Tokens {
  return new Tokens({ clients: cluster, accounts, cluster: cluster.server, ...more })
}

/** The real kubectl with that kubeconfig. */
async function kubectl(kubeconfig: string, ...args: readonly string[]) {
  const path = join(cluster.controlPlane.directory, 'downloaded.kubeconfig')
  await writeFile(path, kubeconfig, { mode: 0o600 })
  return cluster.controlPlane.kubectl(args, { kubeconfig: path })
}

const wanted: readonly WantedToken[] = [{ type: 'Expiring', expirationSeconds: 3_600 }, { type: 'LongLived' }]

test.each(wanted)('$type: kubectl works with the kubeconfig until the token is revoked', async (kind) => {
  const { token, value, kubeconfig } = await tokens.create('admin', 'robot', kind, signal)
  const whoami = await kubectl(kubeconfig, 'auth', 'whoami', '--output=jsonpath={.status.userInfo.username}')
  expect(whoami).toMatchObject({ exitCode: 0, stdout: `system:serviceaccount:${users}:robot` })
  // In the namespace of the kubeconfig, which is that of its rights.
  expect(await kubectl(kubeconfig, 'get', 'hostrequests', '--output=name')).toMatchObject({ exitCode: 0 })
  const elsewhere = await kubectl(kubeconfig, 'get', 'hostrequests', '--namespace=default')
  expect(elsewhere).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('forbidden') })
  const listed = await tokens.list('admin', 'robot', signal)
  expect(listed).toContainEqual(token)
  expect(JSON.stringify(listed)).not.toContain(value)
  expect(token.type).toBe(kind.type)
  await tokens.revoke('admin', 'robot', token.name, signal)
  expect(await tokens.list('admin', 'robot', signal)).toEqual([])
  // The API server remembers for some seconds that a token was good.
  await eventually(
    'the token is refused',
    async () => (await kubectl(kubeconfig, 'get', 'hostrequests')).stderr.includes('Unauthorized'),
    30_000,
    250,
  )
})

test('says when it ends, as the server gave it', async () => {
  const expirationSeconds = 600
  const { token } = await tokens.create('admin', 'robot', { type: 'Expiring', expirationSeconds }, signal)
  const life = Date.parse(token.expiresAt!) - Date.parse(token.createdAt)
  // Both are by the server's clock, in whole seconds; between them are a few requests.
  expect(Math.abs(life / 1_000 - expirationSeconds)).toBeLessThan(60)
  const secret = await cluster.root.get(kinds.Secret, { name: token.name, namespace: users })
  expect(secret.data).toBeUndefined()
  await tokens.revoke('admin', 'robot', token.name, signal)
})

test('those that are over for long go when the next one is made', async () => {
  const first = await tokens.create('admin', 'robot', { type: 'Expiring', expirationSeconds: 600 }, signal)
  const later = (hours: number) => tokensAt({ now: () => new Date(Date.now() + hours * 3_600_000) })
  const second = await later(1).create('admin', 'robot', { type: 'Expiring', expirationSeconds: 600 }, signal)
  const names = async () => (await tokens.list('admin', 'robot', signal)).map(({ name }) => name).toSorted()
  expect(await names()).toEqual([first.token.name, second.token.name].toSorted())
  const third = await later(2).create('admin', 'robot', { type: 'LongLived' }, signal)
  expect(await names()).toEqual([third.token.name])
  await tokens.revoke('admin', 'robot', third.token.name, signal)
})

test('one that others made is listed and can be revoked', async () => {
  const annotations = { 'kubernetes.io/service-account.name': 'robot' }
  const metadata = { name: 'by-hand', namespace: users, annotations }
  await cluster.root.create(kinds.Secret, { metadata, type: 'kubernetes.io/service-account-token' })
  expect(await tokens.list('admin', 'robot', signal)).toMatchObject([{ name: 'by-hand', type: 'LongLived' }])
  await tokens.revoke('admin', 'robot', 'by-hand', signal)
  expect(await tokens.list('admin', 'robot', signal)).toEqual([])
})

test("nothing is revoked but this account's tokens", async () => {
  const { token } = await tokens.create('admin', 'other', { type: 'Expiring', expirationSeconds: 600 }, signal)
  const labels = { 'keelson.dev/account': 'robot' }
  await cluster.root.create(kinds.Secret, { metadata: { name: 'no-token', namespace: users, labels } })
  for (const name of [token.name, 'no-token', 'absent'])
    await expect(tokens.revoke('admin', 'robot', name, signal)).rejects.toMatchObject({ code: 'TokenNotFound' })
  expect(await tokens.list('admin', 'other', signal)).toEqual([token])
})

test('one that the controller manager does not make in time is given up, without a trace', async () => {
  // Sees Secrets as they are before the controller manager has been there.
  const early = (account: string): KubeClient => {
    const client = cluster.for(account)
    const get: KubeClient['get'] = async (...args) => ({ ...(await client.get(...args)), data: undefined })
    return new Proxy(client, {
      get: (_, name) => {
        if (name === 'get') return get
        const member: unknown = Reflect.get(client, name)
        return typeof member === 'function' ? (member.bind(client) as unknown) : member
      },
    })
  }
  const before = await tokens.list('admin', 'other', signal)
  const impatient = new Tokens({ clients: { for: early }, accounts, cluster: cluster.server, fillMs: 250 })
  const none = impatient.create('admin', 'other', { type: 'LongLived' }, signal)
  await expect(none).rejects.toMatchObject({ code: 'TokenNotMade' })
  expect(await tokens.list('admin', 'other', signal)).toEqual(before)
})

test('who may make no tokens makes none and leaves none', async () => {
  await cluster.kubectl('create', 'serviceaccount', 'reader', `--namespace=${users}`)
  const subject = `--serviceaccount=${users}:reader`
  const lists = ['--verb=list', '--resource=clusterroles,clusterrolebindings,rolebindings']
  await cluster.kubectl('create', 'clusterrole', 'reader', ...lists)
  await cluster.kubectl('create', 'clusterrolebinding', 'reader', '--clusterrole=reader', subject)
  const secrets = ['--verb=get,list,create,delete', '--resource=serviceaccounts,secrets', `--namespace=${users}`]
  await cluster.kubectl('create', 'role', 'reader', ...secrets)
  await cluster.kubectl('create', 'rolebinding', 'reader', '--role=reader', `--namespace=${users}`, subject)
  await eventually('the reader reads', () => tokens.list('reader', 'other', signal))
  const before = await tokens.list('admin', 'other', signal)
  const attempt = tokens.create('reader', 'other', { type: 'Expiring', expirationSeconds: 600 }, signal)
  await expect(attempt).rejects.toBeInstanceOf(ForbiddenError)
  expect(await tokens.list('admin', 'other', signal)).toEqual(before)
})

test('all of them end with the account, by whatever means it goes', async () => {
  await accounts.create('admin', { name: 'leaver', type: 'Script', displayName: 'L', grants }, signal)
  const given = []
  for (const kind of wanted) given.push(await tokens.create('admin', 'leaver', kind, signal))
  await cluster.kubectl('delete', 'serviceaccount', 'leaver', `--namespace=${users}`)
  for (const { kubeconfig } of given)
    await eventually(
      'the token is refused',
      async () => (await kubectl(kubeconfig, 'get', 'hostrequests')).stderr.includes('Unauthorized'),
      30_000,
      250,
    )
  const left = async () => {
    const { items } = await cluster.root.list(kinds.Secret, { namespace: users })
    return items.filter(({ metadata }) => metadata.name.startsWith('leaver-')).length
  }
  expect(await eventually('the Secrets are collected', async () => (await left()) === 0, 30_000)).toBe(true)
})
