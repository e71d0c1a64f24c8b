import { kinds } from '@keelson/kube'
import { eventually } from '@keelson/testbed'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Grant } from '../../../protocol/access.ts'
import { AccessCluster } from '../../testing/access-cluster.fixture.ts'
import {
  createAccountCommand,
  deleteAccountCommands,
  expiringTokenCommands,
  listAccountsCommand,
  longLivedTokenCommands,
  revokeTokenCommand,
  setGrantsCommands,
} from '../../../web/kubectl/access.ts'
import type { KubectlCommand } from '../../../web/kubectl/command.ts'
import { Accounts } from './accounts.ts'
import { Tokens } from './tokens.ts'

const { signal } = new AbortController()
let cluster: AccessCluster
let accounts: Accounts
let tokens: Tokens
let administrator: string

beforeAll(async () => {
  cluster = await AccessCluster.start()
  const unused = () => Promise.reject(new Error('kubectl knows no passwords'))
  const records = { find: async () => undefined, list: async () => [], remove: unused, create: unused }
  accounts = new Accounts({
    clients: cluster,
    gate: cluster,
    records: { ...records, setPassword: unused, setEnabled: unused },
  })
  tokens = new Tokens({ clients: cluster, accounts, cluster: cluster.server })
  await cluster.kubectl('create', 'namespace', 'team')
  administrator = await cluster.controlPlane.serviceAccountKubeconfig('keelson-users', 'admin')
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

/** As an administrator of the console would type it. */
async function run(commands: readonly KubectlCommand[]): Promise<string> {
  let said = ''
  for (const { argv, input } of commands) {
    const options = { kubeconfig: administrator, ...(input !== undefined && { input }) }
    const { exitCode, stdout, stderr } = await cluster.controlPlane.kubectl(argv.slice(1), options)
    expect([argv, exitCode, stderr]).toEqual([argv, 0, expect.any(String)])
    said = stdout
  }
  return said
}

const viewer: Grant = { kind: 'Role', role: 'keelson-viewer', namespaces: [] }
const inTeam: Grant = { kind: 'Role', role: 'keelson-operator', namespaces: ['team'] }
const access: Grant = { kind: 'Role', role: 'keelson-access', namespaces: [] }
const hosts: Grant = { kind: 'Hosts', hosts: ['b', 'a'], areas: ['facts', 'sysctl'], access: 'Update' }

test('the commands that the pages show do what the console does, with the same rights', async () => {
  const robot = { name: 'robot', type: 'Script', displayName: 'CI: "it\'s"' } as const
  await run([createAccountCommand(robot, [viewer, hosts])])
  const sorted = { ...hosts, hosts: ['a', 'b'] }
  expect(await accounts.get('admin', 'robot', signal)).toMatchObject({ ...robot, grants: [viewer, sorted], others: [] })
  expect(await run([listAccountsCommand()])).toMatch(/^robot .*script$/m)

  await run(setGrantsCommands('robot', [viewer, sorted], [inTeam, access]))
  expect(await accounts.get('admin', 'robot', signal)).toMatchObject({ grants: [inTeam, access], others: [] })

  const value = (await run(expiringTokenCommands('robot', 'robot-one', 3_600))).trim()
  expect(await tokens.list('admin', 'robot', signal)).toMatchObject([{ name: 'robot-one', type: 'Expiring' }])
  expect(value.split('.')).toHaveLength(3)
  await run(longLivedTokenCommands('robot', 'robot-two').slice(0, 1))
  const lasting = await eventually('the token is filled in', async () => {
    const said = await run(longLivedTokenCommands('robot', 'robot-two').slice(1))
    return said.split('.').length === 3 && said
  })
  expect(lasting).not.toContain('\n')
  await run([revokeTokenCommand('robot-one')])
  expect(await tokens.list('admin', 'robot', signal)).toMatchObject([{ name: 'robot-two', type: 'LongLived' }])

  await run(deleteAccountCommands('robot'))
  await expect(accounts.get('admin', 'robot', signal)).rejects.toMatchObject({ code: 'AccountNotFound' })
  for (const kind of [kinds.ClusterRole, kinds.ClusterRoleBinding, kinds.RoleBinding, kinds.Secret]) {
    const { items } = await cluster.root.list(kind, { labelSelector: 'keelson.dev/account=robot' })
    expect([kind.kind, items]).toEqual([kind.kind, []])
  }
})
