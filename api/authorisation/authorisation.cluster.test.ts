import { isDeepStrictEqual } from 'node:util'
import { ControlPlane, eventually } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ApiServer } from '../admission/api-server.ts'
import { http, withHttp } from '../admission/case.ts'
import { admissionPolicies, customResourceDefinitions, requestPolicies } from '../index.ts'
import { attempt, creation, existing, requestOf, verdict } from './case.ts'
import { arrive, grant, manyHosts, rightsAreKnown, settleIn, userName, type Sessions } from './people.ts'
import { secretCases, secretive } from './secret-cases.ts'
import { targetCases } from './target-cases.ts'

const requests = '/apis/keelson.dev/v1alpha1/namespaces/default/hostrequests'
const policies = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies'
const bindings = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings'

let cluster: ControlPlane
let admin: ApiServer
let sessions: Sessions

beforeAll(async () => {
  cluster = await ControlPlane.start()
  admin = new ApiServer(cluster.adminKubeconfig)
  const manifests = [...Object.values(customResourceDefinitions()), ...Object.values(admissionPolicies())]
  await kubectl(['apply', '--server-side', '-f', '-'], manifests.join('---\n'))
  sessions = await arrive(admin, (namespace, name) => cluster.serviceAccountKubeconfig(namespace, name))
  await eventually('HostRequests are served', async () => (await admin.send('GET', requests)).status === 200)
  await settleIn(admin, 'default')
  await eventually('rights are known', () => rightsAreKnown(admin, 'default'))
  for (const anything of [
    { title: 'a host', person: 'nobody', write: creation({ workers: [], http }) },
    { title: 'a Secret', person: 'everywhere', write: { method: 'POST', path: '', body: secretive } },
  ] as const)
    await eventually(`${anything.title} is asked about`, async () => {
      return (await attempt(sessions, requests, anything)).status === 403
    })
  for (const request of [existing, secretive]) await admin.create(requests, request)
}, 120_000)

afterAll(async () => {
  for (const session of [admin, ...Object.values(sessions ?? {})]) session?.[Symbol.dispose]()
  await cluster?.[Symbol.asyncDispose]()
})

async function kubectl(args: readonly string[], input?: string): Promise<string> {
  const { exitCode, stdout, stderr } = await cluster.kubectl(args, input === undefined ? {} : { input })
  if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
  return stdout
}

describe.concurrent('who may target which host, and have which Secret sent', () => {
  test.each([...targetCases, ...secretCases].map((testCase) => [testCase.title, testCase] as const))(
    '%s',
    async (_, testCase) => {
      expect(verdict(testCase, await attempt(sessions, requests, testCase))).toBeUndefined()
    },
  )
})

test('paths that servers read differently are refused by the CRD, whatever the rights', async () => {
  for (const api of ['/v1//sysctl', '/v1/./sysctl', '/v1/../sysctl', '/v1/..', '/v1/sysctl/..', '//v1/sysctl', '']) {
    const write = creation(withHttp({ api }))
    const answer = await attempt(sessions, requests, { title: api, person: 'everywhere', write })
    expect([api, answer.status, answer.body.details?.causes?.[0]?.field]).toEqual([api, 422, 'spec.http.api'])
  }
})

test('kubectl shows who may not do what on which host', async () => {
  const kubeconfig = await cluster.serviceAccountKubeconfig('people', 'pair')
  const input = JSON.stringify(requestOf('mine', { workers: [{ name: 'node1' }, { name: 'node3' }], http }))
  const refused = await cluster.kubectl(['apply', '-f', '-'], { kubeconfig, input })
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
  expect(refused.stderr).toBe(
    'Error from server (Forbidden): error when creating "STDIN": hostrequests.keelson.dev "mine" is forbidden: ' +
      "ValidatingAdmissionPolicy 'hostrequest-targets.keelson.dev' with binding 'hostrequest-targets.keelson.dev' denied request: " +
      'user "system:serviceaccount:people:pair" may not update hosts/sysctl on host "node3", as POST /v1/sysctl on port 7117 requires\n',
  )
})

test('rights that are taken away count at the next write', async () => {
  const write = creation({ workers: [{ name: 'node9' }], http })
  const asGuest = async () => (await attempt(sessions, requests, { title: '', person: 'nobody', write })).status
  await grant(
    admin,
    'guest',
    [{ apiGroups: ['keelson.dev'], resources: ['hosts/sysctl'], resourceNames: ['node9'], verbs: ['update'] }],
    userName('nobody'),
  )
  await eventually('the right is there', async () => (await asGuest()) === 201)
  await kubectl(['delete', 'clusterrolebinding', 'guest'])
  await eventually('the right is gone', async () => (await asGuest()) === 403)
  expect(await asGuest()).toBe(403)
})

test('the status of a request is none of its affair', async () => {
  const user = userName('nobody')
  await grant(admin, 'status', [{ apiGroups: ['keelson.dev'], resources: ['hostrequests/status'], verbs: ['*'] }], user)
  const patch = { status: { msg: 'written' } }
  const path = `${requests}/existing/status?dryRun=All`
  const write = () => sessions.nobody.send('PATCH', path, patch, 'application/merge-patch+json')
  // Forbidden by RBAC until the right is known; then it is the schema that misses the rest of the status.
  const answer = await eventually('the right is known', async () => {
    const found = await write()
    return found.status === 403 ? undefined : found
  })
  expect([answer.status, answer.body.details?.causes?.[0]?.field]).toEqual([422, 'status.state'])
})

test('where the words would not fit, plain ones say which rule it was', async () => {
  const user = 'x'.repeat(6_000)
  await grant(admin, 'long', [{ apiGroups: ['keelson.dev'], resources: ['hostrequests'], verbs: ['create'] }], user)
  const input = (...names: readonly string[]) =>
    JSON.stringify(requestOf('mine', { workers: names.map((name) => ({ name })), http }))
  const create = (text: string) =>
    cluster.kubectl(['create', '--dry-run=server', '--validate=false', `--as=${user}`, '-f', '-'], { input: text })
  for (const [text, words] of [
    [input(), 'this user has no right to every host'],
    [input('node1', 'node2'), 'this user has no right to the host in spec.workers[0]'],
    [input(...manyHosts), 'this user has no right to every host, and more than 24 are named'],
  ] as const) {
    const said = await eventually('the policy refuses', async () => {
      const { stderr } = await create(text)
      return stderr.includes('ValidatingAdmissionPolicy') && stderr
    })
    expect(said.trimEnd().endsWith(`denied request: ${words}`)).toBe(true)
  }
})

test.each(requestPolicies.map((object) => [object.kind, object.metadata.name, object] as const))(
  'the API server stores the %s %s exactly as it is written, and finds no fault with its types',
  async (kind, objectName, { spec }) => {
    const path = `${kind === 'ValidatingAdmissionPolicy' ? policies : bindings}/${objectName}`
    const stored = await admin.send('GET', path)
    expect(isDeepStrictEqual(stored.body.spec, spec)).toBe(true)
    if (kind !== 'ValidatingAdmissionPolicy') return
    // Written by the controller manager once it has looked.
    const checked = await eventually('types are checked', async () => {
      const { body } = await admin.send('GET', path)
      return (body.status as { typeChecking?: object } | undefined)?.typeChecking
    })
    expect(checked).toEqual({})
  },
)
