import {
  kinds,
  type ClusterRole,
  type ClusterRoleBinding,
  type Draft,
  type KubeClient,
  type PolicyRule,
  type Subject,
} from '@keelson/kube'
import { eventually } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AccessCluster } from './testing/access-cluster.fixture.ts'

const users = 'keelson-users'
const rbacGroup = 'rbac.authorization.k8s.io'

let cluster: AccessCluster
/** keelson-admin and keelson-access, as the chart binds them. */
let admin: KubeClient
/** keelson-access alone. */
let clerk: KubeClient

beforeAll(async () => {
  cluster = await AccessCluster.start()
  admin = cluster.for('admin')
  await cluster.addClerk('clerk')
  clerk = cluster.for('clerk')
  await cluster.kubectl('create', 'namespace', 'team')
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

const ours = 'keelson-user:somebody:test'

function binding(name: string, change: Partial<Draft<ClusterRoleBinding>> = {}): Draft<ClusterRoleBinding> {
  return {
    metadata: { name: ours },
    roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name: 'somebody', namespace: users }],
    ...change,
  }
}

function role(rule: PolicyRule, labels: Record<string, string> = {}): Draft<ClusterRole> {
  return { metadata: { name: ours, labels }, rules: [rule] }
}

async function outcome(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(() => 'allowed', String)
}

async function refusal(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => expect.unreachable('it was allowed'),
    (thrown: unknown) => thrown as Error,
  )
  expect(error).toMatchObject({ status: 403 })
  return error.message
}

const notHeld = /attempting to grant RBAC permissions not currently held/
const inside = { namespace: 'team' }

describe("the console's own account", () => {
  type Rule = { readonly verbs: string[]; readonly apiGroups: string[]; readonly resources: string[] }

  async function rulesOf(account: string, namespace: string): Promise<readonly string[]> {
    const kubeconfig = await cluster.controlPlane.serviceAccountKubeconfig('keelson-system', account)
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      spec: { namespace },
    }
    const path = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews'
    const args = ['create', '--raw', path, '--filename', '-']
    const { stdout } = await cluster.controlPlane.kubectl(args, { kubeconfig, input: JSON.stringify(review) })
    const { status } = JSON.parse(stdout) as { status: { incomplete: boolean; resourceRules: Rule[] } }
    expect(status.incomplete).toBe(false)
    return status.resourceRules
      .flatMap(({ verbs, apiGroups, resources, ...names }) =>
        verbs.flatMap((verb) =>
          apiGroups.flatMap((group) =>
            resources.map((resource) => `${verb} ${group}/${resource} ${JSON.stringify(names)}`),
          ),
        ),
      )
      .toSorted()
  }

  const everywhere = [
    'create authorization.k8s.io/subjectaccessreviews {}',
    'list keelson.dev/hosts {}',
    'watch keelson.dev/hosts {}',
    'list keelson.dev/hostrequests {}',
    'watch keelson.dev/hostrequests {}',
  ]

  test.each([
    [users, [...everywhere, 'create /serviceaccounts/token {}']],
    ['default', everywhere],
    ['keelson-system', everywhere],
    ['kube-system', everywhere],
  ])('may in %s what is written down, and what every account may', async (namespace, expected) => {
    const ofEverybody = new Set(await rulesOf('bystander', namespace))
    const own = (await rulesOf('keelson-console', namespace)).filter((rule) => !ofEverybody.has(rule))
    expect(own).toEqual(expected.toSorted())
  })

  test('is named by two bindings in the whole cluster', async () => {
    const all = await Promise.all([kinds.ClusterRoleBinding, kinds.RoleBinding].map((kind) => cluster.root.list(kind)))
    const its = all
      .flatMap(({ items }) => items)
      .filter(({ subjects = [] }) => subjects.some(({ name }) => name.includes('keelson-console')))
    expect(its.map(({ metadata: { namespace, name } }) => [namespace, name])).toEqual([
      [undefined, 'keelson-console'],
      [users, 'keelson-console'],
    ])
  })
})

describe('an administrator', () => {
  test.each(['keelson-viewer', 'keelson-operator', 'keelson-admin', 'keelson-access'])('gives %s', async (name) => {
    expect(await outcome(admin.create(kinds.ClusterRoleBinding, binding(name), { dryRun: true }))).toBe('allowed')
    if (name === 'keelson-access') return
    const metadata = { name: `keelson-user:somebody:${name}`, ...inside }
    expect(await outcome(admin.create(kinds.RoleBinding, binding(name, { metadata }), { dryRun: true }))).toBe(
      'allowed',
    )
  })

  test('gives the half of keelson-access that is in keelson-users', async () => {
    const metadata = { name: 'keelson-user:somebody:keelson-access', namespace: users }
    const roleRef = { apiGroup: rbacGroup, kind: 'Role', name: 'keelson-access' } as const
    expect(await outcome(admin.create(kinds.RoleBinding, binding('', { metadata, roleRef }), { dryRun: true }))).toBe(
      'allowed',
    )
  })

  test('gives rights on named hosts, and takes them back', async () => {
    const rule = {
      apiGroups: ['keelson.dev'],
      resources: ['hosts/sysctl'],
      resourceNames: ['node1'],
      verbs: ['update'],
    }
    expect(await outcome(admin.create(kinds.ClusterRole, role(rule, { 'keelson.dev/account': 'somebody' })))).toBe(
      'allowed',
    )
    expect(await outcome(admin.create(kinds.ClusterRoleBinding, binding(ours)))).toBe('allowed')
    expect(await outcome(admin.delete(kinds.ClusterRoleBinding, { name: ours }))).toBe('allowed')
    expect(await outcome(admin.delete(kinds.ClusterRole, { name: ours }))).toBe('allowed')
  })

  test('cannot give cluster-admin, nor any right that he has not', async () => {
    for (const name of ['cluster-admin', 'system:node', 'keelson-controller', 'keelson-signer'])
      expect([name, await refusal(admin.create(kinds.ClusterRoleBinding, binding(name)))]).toEqual([
        name,
        expect.stringMatching(notHeld),
      ])
    const metadata = { name: ours, namespace: users }
    expect(await refusal(admin.create(kinds.RoleBinding, binding('cluster-admin', { metadata })))).toMatch(notHeld)
    for (const rule of [
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { apiGroups: [''], resources: ['secrets'], verbs: ['get'] },
      { apiGroups: ['keelson.dev'], resources: ['hosts/*'], verbs: ['update'] },
      { apiGroups: ['keelson.dev'], resources: ['hosts/status'], verbs: ['update'] },
      { apiGroups: [rbacGroup], resources: ['clusterroles'], verbs: ['escalate'] },
      { apiGroups: [''], resources: ['users'], verbs: ['impersonate'] },
      { nonResourceURLs: ['*'], verbs: ['get'] },
    ])
      expect([rule, await refusal(admin.create(kinds.ClusterRole, role(rule)))]).toEqual([
        rule,
        expect.stringMatching(notHeld),
      ])
  })

  test('cannot give a role of others, even with no more rights than his', async () => {
    await cluster.kubectl('create', 'clusterrole', 'growing', '--verb=get', '--resource=hosts.keelson.dev')
    const words = /may bind keelson-viewer, keelson-operator/
    expect(await refusal(admin.create(kinds.ClusterRoleBinding, binding('growing')))).toMatch(words)
    const metadata = { name: ours, ...inside }
    expect(await refusal(admin.create(kinds.RoleBinding, binding('growing', { metadata })))).toMatch(words)
  })

  test('with keelson-access alone gives nothing but that', async () => {
    expect(await outcome(clerk.create(kinds.ClusterRoleBinding, binding('keelson-access'), { dryRun: true }))).toBe(
      'allowed',
    )
    for (const name of ['keelson-viewer', 'keelson-operator', 'keelson-admin'])
      expect(await refusal(clerk.create(kinds.ClusterRoleBinding, binding(name)))).toMatch(notHeld)
    const rule = { apiGroups: ['keelson.dev'], resources: ['hosts/facts'], resourceNames: ['node1'], verbs: ['get'] }
    expect(await refusal(clerk.create(kinds.ClusterRole, role(rule)))).toMatch(notHeld)
  })

  test('touches nothing whose name does not begin with keelson-user:', async () => {
    const named = /names begin with "keelson-user:"/
    const metadata = { name: 'viewers' }
    expect(await refusal(admin.create(kinds.ClusterRoleBinding, binding('keelson-viewer', { metadata })))).toMatch(
      named,
    )
    const within = { metadata: { ...metadata, ...inside } }
    expect(await refusal(admin.create(kinds.RoleBinding, binding('keelson-viewer', within)))).toMatch(named)
    expect(await refusal(admin.create(kinds.ClusterRole, { metadata, rules: [] }))).toMatch(named)
    for (const name of ['cluster-admin', 'keelson-viewer', 'keelson-access', 'system:node'])
      expect(await refusal(admin.delete(kinds.ClusterRole, { name }))).toMatch(named)
    for (const name of ['keelson-administrator', 'keelson-console', 'system:node', 'clerk'])
      expect(await refusal(admin.delete(kinds.ClusterRoleBinding, { name }))).toMatch(named)
    expect(await refusal(admin.delete(kinds.RoleBinding, { name: 'keelson-console', namespace: users }))).toMatch(named)
    const { apiVersion, kind } = kinds.ClusterRole
    const input = JSON.stringify({ apiVersion, kind, metadata: { generateName: 'viewer-' }, rules: [] })
    const args = ['create', '--filename', '-', `--as=system:serviceaccount:${users}:admin`]
    const { exitCode, stderr } = await cluster.controlPlane.kubectl(args, { input })
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(named)])
  })

  test('changes no role and no binding, only makes new ones', async () => {
    const patch = { metadata: { annotations: { a: 'b' } } }
    expect(await refusal(admin.patch(kinds.ClusterRole, { name: 'keelson-viewer' }, patch))).toContain('cannot patch')
    const name = 'keelson-administrator'
    expect(await refusal(admin.patch(kinds.ClusterRoleBinding, { name }, patch))).toContain('cannot patch')
  })

  test('binds nobody but accounts of keelson-users', async () => {
    for (const subject of [
      { kind: 'User', name: 'eve', apiGroup: rbacGroup },
      { kind: 'Group', name: 'system:authenticated', apiGroup: rbacGroup },
      { kind: 'Group', name: `system:serviceaccounts:${users}`, apiGroup: rbacGroup },
      { kind: 'ServiceAccount', name: 'keelson-console', namespace: 'keelson-system' },
      { kind: 'ServiceAccount', name: 'default', namespace: 'team' },
    ] as const) {
      const subjects = [{ kind: 'ServiceAccount', name: 'somebody', namespace: users } as const, subject]
      const words = /bind nobody but ServiceAccounts of keelson-users/
      expect(await refusal(admin.create(kinds.ClusterRoleBinding, binding('keelson-viewer', { subjects })))).toMatch(
        words,
      )
      const metadata = { name: ours, ...inside }
      const within = binding('keelson-viewer', { subjects, metadata })
      expect(await refusal(admin.create(kinds.RoleBinding, within))).toMatch(words)
    }
  })

  test('cannot have a role added to those that others are bound to', async () => {
    const rule = { apiGroups: ['keelson.dev'], resources: ['hosts/proxy'], verbs: ['update'] }
    const labelled = role(rule, { 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' })
    expect(await refusal(admin.create(kinds.ClusterRole, labelled))).toMatch(/no label but keelson.dev\/account/)
    const aggregate = { ...role(rule), aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } }
    expect(await refusal(admin.create(kinds.ClusterRole, aggregate))).toMatch(/cluster-admin/)
  })

  test('makes tokens and reads Secrets of keelson-users alone', async () => {
    const kubeconfig = await cluster.controlPlane.serviceAccountKubeconfig(users, 'admin')
    const token = async (namespace: string, name: string) =>
      cluster.controlPlane.kubectl(['create', 'token', name, `--namespace=${namespace}`], { kubeconfig })
    expect(await token(users, 'clerk')).toMatchObject({ exitCode: 0 })
    for (const [namespace, name] of [
      ['keelson-system', 'keelson-operator'],
      ['keelson-system', 'keelson-console'],
      ['kube-system', 'generic-garbage-collector'],
      ['team', 'default'],
    ] as const)
      expect(await token(namespace, name)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('forbidden') })
    for (const namespace of ['keelson-system', 'kube-system', 'team', undefined]) {
      expect(await refusal(admin.list(kinds.Secret, { namespace }))).toContain('cannot list')
      if (namespace === undefined) continue
      const metadata = { namespace, name: 'x', annotations: { 'kubernetes.io/service-account.name': 'default' } }
      const secret = { metadata, type: 'kubernetes.io/service-account-token' }
      expect(await refusal(admin.create(kinds.Secret, secret))).toContain('cannot create')
      expect(await refusal(admin.get(kinds.Secret, metadata))).toContain('cannot get')
    }
  })
})

describe('cluster-admin', () => {
  const given: readonly (readonly [string, readonly Subject[]])[] = [
    ['by itself', [{ kind: 'ServiceAccount', name: 'somebody', namespace: users }]],
    [
      'as a user beside another',
      [
        { kind: 'User', name: 'root', apiGroup: rbacGroup },
        { kind: 'User', name: `system:serviceaccount:${users}:somebody`, apiGroup: rbacGroup },
      ],
    ],
    ['with all of them', [{ kind: 'Group', name: `system:serviceaccounts:${users}`, apiGroup: rbacGroup }]],
  ]

  test.each(given)('is given to no account of keelson-users, whoever tries: %s', async (_, them) => {
    const words = /no account of keelson-users may be cluster-admin/
    const metadata = { name: 'slip' }
    const slip = binding('cluster-admin', { subjects: them, metadata })
    expect(await refusal(cluster.root.create(kinds.ClusterRoleBinding, slip))).toMatch(words)
    const within = binding('cluster-admin', { subjects: them, metadata: { ...metadata, ...inside } })
    expect(await refusal(cluster.root.create(kinds.RoleBinding, within))).toMatch(words)
  })

  test('is given to others as ever', async () => {
    const metadata = { name: 'others' }
    for (const subjects of [[{ kind: 'ServiceAccount', name: 'somebody', namespace: 'team' }] as const, []]) {
      const draft = binding('cluster-admin', { subjects, metadata })
      expect(await outcome(cluster.root.create(kinds.ClusterRoleBinding, draft, { dryRun: true }))).toBe('allowed')
    }
  })
})

test('the policies are what the API server can type-check', async () => {
  const names = ['keelson-access.keelson.dev', 'keelson-users-cluster-admin.keelson.dev']
  for (const name of names) {
    const checked = await eventually('it is checked', async () => {
      const policy = JSON.parse(await cluster.kubectl('get', 'validatingadmissionpolicy', name, '--output=json')) as {
        metadata: { generation: number }
        status?: { observedGeneration?: number; typeChecking?: unknown }
      }
      return policy.status?.observedGeneration === policy.metadata.generation && policy
    })
    expect(checked.status?.typeChecking ?? {}).toEqual({})
  }
})
