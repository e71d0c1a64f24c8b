import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ForbiddenError, kinds, NotFoundError, type KubeClient } from '@keelson/kube'
import { eventually } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Account, Grant } from '../../../protocol/access.ts'
import { systemClock } from '../../clock.ts'
import { Accounts as Records } from '../../model/accounts.ts'
import { openDatabase, type Database } from '../../model/database.ts'
import { AccessCluster } from '../../testing/access-cluster.fixture.ts'
import { Interruption } from '../../testing/interruption.ts'
import { AccountError } from './account-error.ts'
import { Accounts } from './accounts.ts'
import { Tokens } from './tokens.ts'

const users = 'keelson-users'
const { signal } = new AbortController()
const password = () => randomBytes(18).toString('base64url')

let cluster: AccessCluster
let folder: string
let database: Database
let records: Records
let accounts: Accounts
let tokens: Tokens

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keelson-accounts-'))
  cluster = await AccessCluster.start()
  database = await openDatabase(`file:${join(folder, 'console.db')}`)
  records = new Records(database, systemClock)
  accounts = new Accounts({ clients: cluster, gate: cluster, records })
  tokens = new Tokens({ clients: cluster, accounts, cluster: { server: cluster.server.server, ca: cluster.server.ca } })
  await cluster.addClerk('clerk')
  for (const name of ['team', 'other']) await cluster.kubectl('create', 'namespace', name)
  await cluster.kubectl('create', 'serviceaccount', 'nobody', `--namespace=${users}`)
})

afterAll(async () => {
  await database?.close(true)
  await cluster?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const viewer: Grant = { kind: 'Role', role: 'keelson-viewer', namespaces: [] }
const operatorInTeam: Grant = { kind: 'Role', role: 'keelson-operator', namespaces: ['team'] }
const access: Grant = { kind: 'Role', role: 'keelson-access', namespaces: [] }
const sysctlOfTwo: Grant = { kind: 'Hosts', hosts: ['node1', 'node2'], areas: ['sysctl'], access: 'Update' }
const everything = [viewer, operatorInTeam, access, sysctlOfTwo]

async function person(name: string, grants: readonly Grant[] = []): Promise<Account> {
  return accounts.create('admin', { name, type: 'Person', displayName: 'P', password: password(), grants }, signal)
}

async function failureOf(attempt: Promise<unknown>): Promise<Error & { code?: string; field?: string }> {
  return attempt.then(
    () => expect.unreachable('it was done'),
    (error: unknown) => error as Error,
  )
}

/** All that the cluster holds of an account. */
async function traces(name: string): Promise<string[]> {
  const { root } = cluster
  const found = await Promise.all([
    root.list(kinds.ServiceAccount, { namespace: users }),
    root.list(kinds.Secret, { namespace: users }),
    root.list(kinds.ClusterRole),
    root.list(kinds.ClusterRoleBinding),
    root.list(kinds.RoleBinding),
  ])
  return found
    .flatMap(({ items }) => items as { kind: string; metadata: { name: string; namespace?: string } }[])
    .filter(({ metadata }) => metadata.name === name || metadata.name.startsWith(`keelson-user:${name}:`))
    .map(({ kind, metadata }) => [kind, metadata.namespace, metadata.name].filter(Boolean).join('/'))
    .toSorted()
}

const may = (account: string, verb: string, resource: string, more: Record<string, string> = {}) =>
  cluster.allows(account, { group: 'keelson.dev', verb, resource, ...more })

describe('a person', () => {
  test('is made with rights that count, and a password to be changed', async () => {
    const secret = password()
    const made = await accounts.create(
      'admin',
      { name: 'ann', type: 'Person', displayName: 'Ann Ö', password: secret, grants: everything },
      signal,
    )
    expect(made).toEqual({
      name: 'ann',
      type: 'Person',
      displayName: 'Ann Ö',
      createdAt: expect.any(String),
      grants: everything,
      others: [],
      signIn: 'Enabled',
    })
    expect(await accounts.get('admin', 'ann', signal)).toEqual(made)
    expect(await records.verify('ann', secret)).toMatchObject({ name: 'ann', mustChangePassword: true })
    const { metadata } = await cluster.root.get(kinds.ServiceAccount, { name: 'ann', namespace: users })
    expect(metadata.labels).toEqual({ 'keelson.dev/account-type': 'person' })
    expect(metadata.annotations).toEqual({ 'keelson.dev/display-name': 'Ann Ö' })
    await eventually('the rights count', () => may('ann', 'list', 'hosts'))
    expect(await may('ann', 'create', 'hostrequests', { namespace: 'team' })).toBe(true)
    expect(await may('ann', 'create', 'hostrequests', { namespace: 'other' })).toBe(false)
    for (const [name, allowed] of Object.entries({ node1: true, node2: true, node3: false }))
      expect([name, await may('ann', 'update', 'hosts', { subresource: 'sysctl', name })]).toEqual([name, allowed])
    expect(await may('ann', 'get', 'audits')).toBe(true)
    const secrets = { group: '', resource: 'secrets', verb: 'create', namespace: users }
    expect(await cluster.allows('ann', secrets)).toBe(true)
  })

  test('is not made twice, nor where a right is missing', async () => {
    await person('twice')
    expect(await failureOf(person('twice'))).toMatchObject({ code: 'AccountExists', field: 'name' })
    const refused = await failureOf(
      accounts.create(
        'clerk',
        { name: 'high', type: 'Person', displayName: 'H', password: password(), grants: [access, operatorInTeam] },
        signal,
      ),
    )
    expect(refused).toBeInstanceOf(ForbiddenError)
    expect(refused.message).toContain('attempting to grant RBAC permissions not currently held')
    const hosts = [access, sysctlOfTwo]
    const wanted = { name: 'high', type: 'Person', displayName: 'H', grants: hosts } as const
    expect(await failureOf(accounts.create('clerk', wanted, signal))).toBeInstanceOf(ForbiddenError)
    expect(await failureOf(accounts.create('nobody', wanted, signal))).toBeInstanceOf(ForbiddenError)
    expect(await traces('high')).toEqual([])
    expect(await records.find('high')).toBeUndefined()
  })

  test('is not made with a password that is easy to guess, nor in a namespace that is not there', async () => {
    const wanted = { name: 'weak', type: 'Person', displayName: 'W', grants: [viewer] } as const
    const easy = accounts.create('admin', { ...wanted, password: 'passwordpassword' }, signal)
    expect(await failureOf(easy)).toMatchObject({ code: 'PasswordRefused' })
    const nowhere: Grant = { kind: 'Role', role: 'keelson-viewer', namespaces: ['team', 'nowhere'] }
    const lost = accounts.create('admin', { ...wanted, grants: [viewer, nowhere] }, signal)
    expect(await failureOf(lost)).toBeInstanceOf(NotFoundError)
    expect(await traces('weak')).toEqual([])
  })

  test('gets no part of keelson-access', async () => {
    const part: Grant = { kind: 'Role', role: 'keelson-access', namespaces: ['team'] }
    expect(await failureOf(person('part', [viewer, part]))).toMatchObject({
      code: 'GrantInvalid',
      field: 'grants[1].namespaces',
    })
  })

  test('who was deleted by other means does not come back with the old password', async () => {
    const old = password()
    await accounts.create(
      'admin',
      { name: 'gone', type: 'Person', displayName: 'G', password: old, grants: [] },
      signal,
    )
    await cluster.kubectl('delete', 'serviceaccount', 'gone', `--namespace=${users}`)
    await accounts.create('admin', { name: 'gone', type: 'Person', displayName: 'G', grants: [] }, signal)
    expect(await records.verify('gone', old)).toBeUndefined()
    expect(await accounts.get('admin', 'gone', signal)).toMatchObject({ signIn: 'Never' })
  })
})

describe('rights', () => {
  test('are exactly what is asked for; what others bound stays, and is named', async () => {
    await person('exact', [viewer, operatorInTeam])
    const subject = `--serviceaccount=${users}:exact`
    await cluster.kubectl('create', 'rolebinding', 'by-hand', '--clusterrole=view', '--namespace=team', subject)
    const given = await accounts.setGrants('admin', 'exact', [sysctlOfTwo], signal)
    expect(given).toMatchObject({ grants: [sysctlOfTwo], others: ['RoleBinding/team/by-hand'] })
    const [role, ...more] = (await traces('exact')).filter((trace) => trace.startsWith('ClusterRole/'))
    expect(more).toEqual([])
    const name = role!.slice('ClusterRole/'.length)
    expect(await traces('exact')).toEqual([role, `ClusterRoleBinding/${name}`, `ServiceAccount/${users}/exact`])
    expect(await accounts.setGrants('admin', 'exact', [], signal)).toMatchObject({ grants: [] })
    expect(await traces('exact')).toEqual([`ServiceAccount/${users}/exact`])
    await cluster.kubectl('get', 'rolebinding', 'by-hand', '--namespace=team')
  })

  test('that Kubernetes refuses to give change nothing', async () => {
    await person('steady', [viewer])
    const refused = await failureOf(
      accounts.setGrants('clerk', 'steady', [access, operatorInTeam, sysctlOfTwo], signal),
    )
    expect(refused).toBeInstanceOf(ForbiddenError)
    expect(await accounts.get('admin', 'steady', signal)).toMatchObject({ grants: [viewer], others: [] })
    expect(await accounts.setGrants('clerk', 'steady', [access], signal)).toMatchObject({ grants: [access] })
  })

  test('that were changed by hand are made anew', async () => {
    await person('bent', [viewer, sysctlOfTwo])
    const role = (await traces('bent')).find((trace) => trace.startsWith('ClusterRole/'))!.split('/')[1]!
    await cluster.root.patch(kinds.ClusterRole, { name: role }, { rules: [] })
    await cluster.root.delete(kinds.ClusterRoleBinding, { name: 'keelson-user:bent:keelson-viewer' })
    await cluster.root.create(kinds.ClusterRoleBinding, {
      metadata: { name: 'keelson-user:bent:keelson-viewer' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'ServiceAccount', name: 'bent', namespace: users }],
    })
    expect(await accounts.get('admin', 'bent', signal)).toMatchObject({
      grants: [],
      others: [`ClusterRoleBinding/${role}`, 'ClusterRoleBinding/keelson-user:bent:keelson-viewer'],
    })
    const mended = await accounts.setGrants('admin', 'bent', [viewer, sysctlOfTwo], signal)
    expect(mended).toMatchObject({ grants: [viewer, sysctlOfTwo], others: [] })
  })
})

describe('the list', () => {
  test('shows people and scripts with what they have, and the first administrator', async () => {
    await accounts.create('admin', { name: 'robot', type: 'Script', displayName: 'CI', grants: [viewer] }, signal)
    await cluster.kubectl('create', 'serviceaccount', 'with.dot', `--namespace=${users}`)
    const all = await accounts.list('admin', signal)
    const names = all.map(({ name }) => name)
    expect(names).toEqual(names.toSorted())
    expect(names).not.toContain('default')
    expect(names).not.toContain('with.dot')
    expect(all.find(({ name }) => name === 'robot')).toMatchObject({
      type: 'Script',
      displayName: 'CI',
      grants: [viewer],
      signIn: 'Never',
    })
    expect(all.find(({ name }) => name === 'admin')).toMatchObject({
      type: 'Person',
      grants: [],
      others: [
        'ClusterRoleBinding/keelson-administrator',
        'ClusterRoleBinding/keelson-administrator-access',
        'RoleBinding/keelson-users/keelson-administrator-access',
      ],
      signIn: 'Never',
    })
    expect(await failureOf(accounts.list('nobody', signal))).toBeInstanceOf(ForbiddenError)
    expect(await failureOf(accounts.get('nobody', 'robot', signal))).toBeInstanceOf(ForbiddenError)
  })
})

describe('a password', () => {
  test('is set by whoever may make tokens of the account, and by nobody else', async () => {
    await person('paula')
    const first = password()
    await accounts.setPassword('clerk', 'paula', first, signal)
    expect(await records.verify('paula', first)).toMatchObject({ mustChangePassword: true })
    const reader = ['--resource=serviceaccounts', '--verb=get,list', `--namespace=${users}`]
    await cluster.kubectl('create', 'serviceaccount', 'reader', `--namespace=${users}`)
    await cluster.kubectl('create', 'role', 'reader', ...reader)
    const rbac = ['--verb=list', '--resource=clusterroles,clusterrolebindings,rolebindings']
    await cluster.kubectl('create', 'clusterrole', 'reader', ...rbac)
    const subject = `--serviceaccount=${users}:reader`
    await cluster.kubectl('create', 'rolebinding', 'reader', '--role=reader', `--namespace=${users}`, subject)
    await cluster.kubectl('create', 'clusterrolebinding', 'reader', '--clusterrole=reader', subject)
    await eventually('the reader reads', () => accounts.get('reader', 'paula', signal))
    for (const attempt of [
      () => accounts.setPassword('reader', 'paula', password(), signal),
      () => accounts.setSignIn('reader', 'paula', false, signal),
      () => accounts.delete('reader', 'paula', signal),
    ])
      expect(await failureOf(attempt())).toMatchObject({ code: 'TokenRightMissing' })
    expect(await records.verify('paula', first)).toBeDefined()
    expect(await failureOf(accounts.setPassword('nobody', 'paula', password(), signal))).toBeInstanceOf(ForbiddenError)
  })

  test('is not for scripts, nor a way round the own one', async () => {
    await accounts.create('admin', { name: 'machine', type: 'Script', displayName: 'M', grants: [] }, signal)
    const ofScript = accounts.setPassword('admin', 'machine', password(), signal)
    expect(await failureOf(ofScript)).toMatchObject({ code: 'NotAPerson' })
    const wanted = { name: 'machine2', type: 'Script', displayName: 'M', password: password(), grants: [] } as const
    const withOne = accounts.create('admin', wanted, signal)
    expect(await failureOf(withOne)).toMatchObject({ code: 'NotAPerson', field: 'password' })
    const own = accounts.setPassword('admin', 'admin', password(), signal)
    expect(await failureOf(own)).toMatchObject({ code: 'OwnAccount' })
  })

  test('may be set later, for somebody who has none', async () => {
    await accounts.create('admin', { name: 'late', type: 'Person', displayName: 'L', grants: [] }, signal)
    expect(await failureOf(accounts.setSignIn('admin', 'late', true, signal))).toMatchObject({
      code: 'PasswordMissing',
    })
    await records.remove('late')
    const first = password()
    await accounts.setPassword('admin', 'late', first, signal)
    expect(await records.verify('late', first)).toMatchObject({ displayName: 'L' })
  })

  test('counts while sign-in is enabled', async () => {
    const first = password()
    await accounts.create(
      'admin',
      { name: 'off', type: 'Person', displayName: 'O', password: first, grants: [] },
      signal,
    )
    expect(await accounts.setSignIn('admin', 'off', false, signal)).toMatchObject({ signIn: 'Disabled' })
    expect(await records.verify('off', first)).toBeUndefined()
    expect(await accounts.setSignIn('admin', 'off', true, signal)).toMatchObject({ signIn: 'Enabled' })
    expect(await records.verify('off', first)).toBeDefined()
    const own = accounts.setSignIn('admin', 'admin', false, signal)
    expect(await failureOf(own)).toMatchObject({ code: 'OwnAccount' })
  })
})

describe('deletion', () => {
  test('leaves nothing of the account but what others bound', async () => {
    await person('leaver', everything)
    await tokens.create('admin', 'leaver', { type: 'Expiring', expirationSeconds: 600 }, signal)
    await tokens.create('admin', 'leaver', { type: 'LongLived' }, signal)
    await accounts.delete('admin', 'leaver', signal)
    expect(await traces('leaver')).toEqual([])
    const secrets = await cluster.root.list(kinds.Secret, { namespace: users })
    expect(secrets.items.filter(({ metadata }) => metadata.name.startsWith('leaver-'))).toEqual([])
    expect(await records.find('leaver')).toBeUndefined()
    expect(await failureOf(accounts.get('admin', 'leaver', signal))).toMatchObject({ code: 'AccountNotFound' })
    expect(await failureOf(accounts.delete('admin', 'leaver', signal))).toBeInstanceOf(AccountError)
    expect(await failureOf(accounts.delete('admin', 'admin', signal))).toMatchObject({ code: 'OwnAccount' })
  })
})

describe('killed at any write, and asked again', () => {
  const writes = ['create', 'delete', 'patch', 'createToken'] as const satisfies (keyof KubeClient)[]

  /** Runs `act` with one more write before the end each time, until it comes through; `repeat` is asked after each end. */
  async function interrupted(
    act: (accounts: Accounts, index: number) => Promise<unknown>,
    repeat: (index: number) => Promise<void>,
  ): Promise<number> {
    for (let index = 0; ; index++) {
      const interruption = new Interruption(index)
      const clients = { for: (account: string) => interruption.of(cluster.for(account), writes) }
      const dying = interruption.of(records, ['create', 'setPassword', 'setEnabled', 'remove'])
      const error = await act(new Accounts({ clients, gate: cluster, records: dying }), index).then(
        () => undefined,
        (thrown: unknown) => thrown as Error,
      )
      if (error === undefined) return index
      expect(error.message).toBe('interrupted')
      await repeat(index)
    }
  }

  test('a person is made whole', async () => {
    const wanted = (index: number) =>
      ({ name: `c${index}`, type: 'Person', displayName: 'C', password: password(), grants: everything }) as const
    const count = await interrupted(
      (dying, index) => dying.create('admin', wanted(index), signal),
      async (index) => {
        const again = wanted(index)
        expect(await accounts.create('admin', again, signal)).toMatchObject({ grants: everything, signIn: 'Enabled' })
        expect(await records.verify(again.name, again.password)).toBeDefined()
        expect(await failureOf(accounts.create('admin', again, signal))).toMatchObject({ code: 'AccountExists' })
      },
    )
    expect(count).toBe(10)
  })

  test('rights are what was asked for last', async () => {
    const before = [viewer, operatorInTeam]
    const after = [operatorInTeam, sysctlOfTwo]
    await person('g', before)
    const count = await interrupted(
      (dying) => dying.setGrants('admin', 'g', after, signal),
      async () => {
        expect(await accounts.setGrants('admin', 'g', after, signal)).toMatchObject({ grants: after, others: [] })
        await accounts.setGrants('admin', 'g', before, signal)
      },
    )
    expect(count).toBe(3)
  })

  test('a deletion is ended', async () => {
    const prepare = async (index: number) => {
      await person(`d${index}`, everything)
      await tokens.create('admin', `d${index}`, { type: 'Expiring', expirationSeconds: 600 }, signal)
    }
    await prepare(0)
    const count = await interrupted(
      (dying, index) => dying.delete('admin', `d${index}`, signal),
      async (index) => {
        expect((await records.find(`d${index}`))?.enabled).toBe(index === 0)
        await accounts.delete('admin', `d${index}`, signal)
        expect(await traces(`d${index}`)).toEqual([])
        expect(await records.find(`d${index}`)).toBeUndefined()
        await prepare(index + 1)
      },
    )
    expect(count).toBe(10)
  })
})
