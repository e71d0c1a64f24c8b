import { applyManifests, ControlPlane, eventually } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ApiServer } from '../admission/api-server.ts'
import { secretPolicy, targetPolicy } from '../index.ts'
import { may, type Act } from './people.ts'

const policies = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies'
const bindings = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings'
const policyNames = [targetPolicy, secretPolicy].map(({ metadata }) => metadata.name)
const roles = ['keelson-viewer', 'keelson-operator', 'keelson-admin', 'admin', 'edit', 'view'] as const

let cluster: ControlPlane
let admin: ApiServer
let operator: ApiServer

beforeAll(async () => {
  cluster = await ControlPlane.start()
  admin = new ApiServer(cluster.adminKubeconfig)
  await applyManifests(cluster)
  operator = new ApiServer(await cluster.serviceAccountKubeconfig('keelson-system', 'keelson-operator'))
  // One user for each role, of its name; the roles of Kubernetes itself are aggregated by the controller manager.
  for (const role of roles)
    await kubectl(['create', 'clusterrolebinding', role, `--clusterrole=${role}`, `--user=${role}`])
  await eventually('roles are aggregated and known', () =>
    may(admin, 'view', { group: '', resource: 'configmaps', verb: 'get', namespace: 'default' }),
  )
})

afterAll(async () => {
  for (const session of [admin, operator]) session?.[Symbol.dispose]()
  await cluster?.[Symbol.asyncDispose]()
})

async function kubectl(args: readonly string[], input?: string): Promise<void> {
  const { exitCode, stderr } = await cluster.kubectl(args, input === undefined ? {} : { input })
  if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
}

const keelson = (resource: string, verb: string, more: Partial<Act> = {}): Act => ({
  group: 'keelson.dev',
  resource,
  verb,
  ...more,
})
const requests = (verb: string, more: Partial<Act> = {}) =>
  keelson('hostrequests', verb, { namespace: 'team', ...more })
const hosts = (verb: string, subresource: string) => keelson('hosts', verb, { subresource })
const types = ['facts', 'hostname', 'sysctl', 'systemdUnit']

/** Acts, and the users who may; the rest of them may not. */
const table: readonly (readonly [title: string, acts: readonly Act[], users: readonly string[]])[] = [
  [
    'read hosts and requests',
    ['get', 'list', 'watch'].flatMap((verb) => [keelson('hosts', verb), requests(verb)]),
    ['keelson-viewer', 'keelson-operator', 'keelson-admin'],
  ],
  [
    'write and delete requests',
    ['create', 'update', 'patch', 'delete', 'deletecollection'].map((verb) => requests(verb)),
    ['keelson-operator', 'keelson-admin'],
  ],
  [
    'use every type on every host',
    types.flatMap((type) => [hosts('get', type), hosts('update', type)]),
    ['keelson-operator', 'keelson-admin'],
  ],
  ['reach every other port and path', [hosts('get', 'proxy'), hosts('update', 'proxy')], ['keelson-admin']],
  [
    "write hosts, or anybody's status",
    [
      ...['create', 'update', 'patch', 'delete'].map((verb) => keelson('hosts', verb)),
      hosts('update', 'status'),
      requests('update', { subresource: 'status' }),
    ],
    [],
  ],
  [
    'change the policies',
    ['validatingadmissionpolicies', 'validatingadmissionpolicybindings'].flatMap((resource) =>
      policyNames.map((name) => ({ group: 'admissionregistration.k8s.io', resource, verb: 'update', name })),
    ),
    [],
  ],
  // Shows that the roles of Kubernetes itself, which stand in no other row, were in force.
  ['read secrets', [{ group: '', resource: 'secrets', verb: 'get', namespace: 'team' }], ['admin', 'edit']],
]

describe('who may', () => {
  test.each(table)('%s', async (_, acts, users) => {
    for (const act of acts) {
      const found = await Promise.all(roles.map(async (role) => ((await may(admin, role, act)) ? role : undefined)))
      expect([act, found.filter((role) => role !== undefined)]).toEqual([act, users])
    }
  })
})

describe("the operator's own account", () => {
  const user = 'system:serviceaccount:keelson-system:keelson-operator'

  test('has no right to any type of any host, and writes no request', async () => {
    for (const act of [...types, 'proxy'].flatMap((type) => [hosts('get', type), hosts('update', type)])) {
      expect([act, await may(admin, user, act)]).toEqual([act, false])
    }
    expect(await may(admin, user, requests('create'))).toBe(false)
    expect(await may(admin, user, requests('update', { subresource: 'status' }))).toBe(true)
  })

  test('reads a Secret whose name it knows, and neither lists, watches nor writes any', async () => {
    const secret = (verb: string) => may(admin, user, { group: '', resource: 'secrets', verb, namespace: 'team' })
    await eventually('the right is known', () => secret('get'))
    for (const verb of ['list', 'watch', 'create', 'update', 'patch', 'delete'])
      expect([verb, await secret(verb)]).toEqual([verb, false])
  })

  test.each([policies, bindings].flatMap((path) => policyNames.map((name) => [path, name] as const)))(
    'reads its own of %s, %s, no other, and changes none',
    async (path, policyName) => {
      const read = async (query: string) => (await operator.send('GET', path + query)).status
      const selector = `?fieldSelector=metadata.name%3D${policyName}`
      await eventually('the right is known', async () => (await read(`/${policyName}`)) === 200)
      expect(await read(selector)).toBe(200)
      expect(await read(`${selector}&watch=true&timeoutSeconds=1`)).toBe(200)
      expect(await read('')).toBe(403)
      expect(await read('/another')).toBe(403)
      expect((await operator.send('DELETE', `${path}/${policyName}`)).status).toBe(403)
      const patch = ['PATCH', `${path}/${policyName}`, { spec: {} }, 'application/merge-patch+json'] as const
      expect((await operator.send(...patch)).status).toBe(403)
    },
  )

  test('sees that the binding is gone', async () => {
    for (const policyName of policyNames) {
      await kubectl(['delete', 'validatingadmissionpolicybinding', policyName])
      expect((await operator.send('GET', `${bindings}/${policyName}`)).status).toBe(404)
      expect((await operator.send('GET', `${policies}/${policyName}`)).status).toBe(200)
    }
  })
})
