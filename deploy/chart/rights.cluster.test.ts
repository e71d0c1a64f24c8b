import { eventually } from '@keelson/testbed'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ChartCluster } from './testing/chart-cluster.fixture.ts'

let cluster: ChartCluster
beforeAll(async () => {
  cluster = await ChartCluster.start()
  await cluster.kubectl(['create', 'namespace', 'keelson-system'])
  await cluster.kubectl(['create', 'namespace', 'team'])
  await cluster.kubectl(['create', 'serviceaccount', 'bystander', '--namespace=keelson-system'])
  await cluster.install()
  await eventually('roles count', async () => (await rulesOf('keelson-operator', 'default')).length > 20)
})
afterAll(async () => cluster?.[Symbol.asyncDispose]())

type Rule = {
  readonly verbs: readonly string[]
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
}
type Review = {
  readonly status: {
    readonly incomplete: boolean
    readonly resourceRules: readonly Rule[]
    readonly nonResourceRules: readonly unknown[]
  }
}

/** All that an account may in a namespace, as the API server says: `verb group/resource name,name`. */
async function rulesOf(account: string, namespace: string): Promise<readonly string[]> {
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } }
  const kubeconfig = await cluster.controlPlane.serviceAccountKubeconfig('keelson-system', account)
  const args = ['create', '--raw', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', '--filename=-']
  const { stdout } = await cluster.controlPlane.kubectl(args, { kubeconfig, input: JSON.stringify(review) })
  const { status } = JSON.parse(stdout) as Review
  expect(status.incomplete).toBe(false)
  return status.resourceRules.flatMap(({ verbs, apiGroups, resources, resourceNames = [] }) =>
    verbs.flatMap((verb) =>
      apiGroups.flatMap((group) => resources.map((name) => `${verb} ${group}/${name} ${resourceNames.join()}`.trim())),
    ),
  )
}

async function ownRulesOf(account: string, namespace: string): Promise<readonly string[]> {
  const everybodys = new Set(await rulesOf('bystander', namespace))
  return (await rulesOf(account, namespace)).filter((rule) => !everybodys.has(rule)).toSorted()
}

const each = (verbs: string, what: string) => verbs.split(' ').map((verb) => `${verb} ${what}`)
const policies = 'hostrequest-targets.keelson.dev,hostrequest-secrets.keelson.dev'

const operator = [
  ...each('get list watch', '/nodes'),
  ...each('get list watch create update delete', 'keelson.dev/hosts'),
  'update keelson.dev/hosts/status',
  ...each('get list watch delete', 'keelson.dev/hostrequests'),
  'update keelson.dev/hostrequests/status',
  ...each('get list watch', `admissionregistration.k8s.io/validatingadmissionpolicies ${policies}`),
  ...each('get list watch', `admissionregistration.k8s.io/validatingadmissionpolicybindings ${policies}`),
  'list networking.k8s.io/servicecidrs',
  ...each('get create', '/configmaps'),
  ...each('create patch', 'events.k8s.io/events'),
  'get /secrets',
  ...each('get list watch', 'certificates.k8s.io/certificatesigningrequests'),
  'update certificates.k8s.io/certificatesigningrequests/approval',
  'update certificates.k8s.io/certificatesigningrequests/status',
  ...each('approve sign', 'certificates.k8s.io/signers keelson.dev/agent'),
]
const operatorAtHome = [
  'create coordination.k8s.io/leases',
  ...each('get update', 'coordination.k8s.io/leases keelson-operator'),
  'create /secrets',
  'create /configmaps',
  ...each('get update', '/secrets keelson-agent-ca'),
  ...each('get patch', '/configmaps keelson-agent-trust'),
  'get /pods',
]
const apiServerAddresses = ['get /services kubernetes', 'get discovery.k8s.io/endpointslices kubernetes']
const console = [
  'create authorization.k8s.io/subjectaccessreviews',
  ...each('list watch', 'keelson.dev/hosts'),
  ...each('list watch', 'keelson.dev/hostrequests'),
]
const installer = each('create get', 'certificates.k8s.io/certificatesigningrequests')

test.each<[account: string, namespace: string, rules: readonly string[]]>([
  ['keelson-operator', 'team', operator],
  ['keelson-operator', 'kube-system', operator],
  ['keelson-operator', 'keelson-users', operator],
  ['keelson-operator', 'default', [...operator, ...apiServerAddresses]],
  ['keelson-operator', 'keelson-system', [...operator, ...operatorAtHome]],
  ['keelson-console', 'team', console],
  ['keelson-console', 'kube-system', console],
  ['keelson-console', 'keelson-system', console],
  ['keelson-console', 'keelson-users', [...console, 'create /serviceaccounts/token']],
  ['keelson-installer', 'team', installer],
  ['keelson-installer', 'kube-system', installer],
  ['keelson-installer', 'keelson-users', installer],
  ['keelson-installer', 'keelson-system', [...installer, 'get /configmaps keelson-agent-trust']],
])('%s may in %s this, and what every account may', async (account, namespace, rules) => {
  expect(new Set(await ownRulesOf(account, namespace))).toEqual(new Set(rules))
})

test('no other account is bound to anything but the first administrator', async () => {
  type Binding = {
    metadata: { name: string; namespace?: string }
    subjects?: { kind: string; name: string; namespace?: string }[]
  }
  const { items } = await cluster.get<{ items: Binding[] }>(
    ...['clusterrolebindings,rolebindings', '--all-namespaces', '--selector=app.kubernetes.io/name=keelson'],
  )
  const bound = items.flatMap(({ subjects = [] }) =>
    subjects.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`),
  )
  expect([...new Set(bound)].toSorted()).toEqual([
    'ServiceAccount keelson-system/keelson-console',
    'ServiceAccount keelson-system/keelson-installer',
    'ServiceAccount keelson-system/keelson-operator',
    'ServiceAccount keelson-users/admin',
  ])
})

test('the operator reads the Secrets of requests only where somebody binds it', async () => {
  await cluster.install({ operator: { requestSecrets: 'BoundNamespaces' } })
  const secrets = async (namespace: string) =>
    (await ownRulesOf('keelson-operator', namespace)).filter((rule) => rule.includes('/secrets'))
  await eventually('the right is gone', async () => (await secrets('team')).length === 0)
  const binding = ['--clusterrole=keelson-request-secrets', '--serviceaccount=keelson-system:keelson-operator']
  await cluster.kubectl(['create', 'rolebinding', 'keelson-request-secrets', '--namespace=team', ...binding])
  await eventually('the right is there', async () => (await secrets('team')).join() === 'get /secrets')
  expect(await secrets('default')).toEqual([])
})
