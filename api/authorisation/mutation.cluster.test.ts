import { ControlPlane, eventually } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { targetPolicy, targetPolicyBinding } from '../admission-policy.ts'
import { ApiServer } from '../admission/api-server.ts'
import { http } from '../admission/case.ts'
import { customResourceDefinitions } from '../index.ts'
import { attempt, creation, existing, verdict, type AuthorisationCase } from './case.ts'
import { authorisationCases } from './cases.ts'
import { arrive, rightsAreKnown, type Sessions } from './people.ts'
import { policyMutants, type PolicyMutant } from './policy-mutants.ts'

const admissionGroup = '/apis/admissionregistration.k8s.io/v1'

let cluster: ControlPlane
let admin: ApiServer
let sessions: Sessions

beforeAll(async () => {
  cluster = await ControlPlane.start({ controllerManager: false })
  admin = new ApiServer(cluster.adminKubeconfig)
  const input = Object.values(customResourceDefinitions()).join('---\n')
  const { exitCode, stderr } = await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input })
  if (exitCode !== 0) throw new Error(stderr)
  sessions = await arrive(admin, (namespace, name) => cluster.serviceAccountKubeconfig(namespace, name))
  await eventually('HostRequests are served', async () => (await admin.send('GET', requests('default'))).status === 200)
  await eventually('rights are known', () => rightsAreKnown(admin))
  for (const [index, { spec }] of policyMutants.entries()) await install(`m${index}`, spec)
  // The API server takes policies and bindings in the order in which they were made: with the last one all are in force.
  await install('last', targetPolicy.spec)
  const anything = { title: 'anything', person: 'nobody', write: creation({ workers: [], http }) } as const
  await eventually(
    'all mutants are in force',
    async () => (await attempt(sessions, requests('last'), anything)).status === 403,
    60_000,
  )
}, 180_000)

afterAll(async () => {
  for (const session of [admin, ...Object.values(sessions ?? {})]) session?.[Symbol.dispose]()
  await cluster?.[Symbol.asyncDispose]()
})

function requests(namespace: string): string {
  return `/apis/keelson.dev/v1alpha1/namespaces/${namespace}/hostrequests`
}

/** Mutants live side by side, each bound to a namespace of its own. */
async function install(name: string, spec: PolicyMutant['spec']): Promise<void> {
  const metadata = { name }
  await admin.create('/api/v1/namespaces', { metadata })
  await admin.create(requests(name), existing)
  await admin.create(`${admissionGroup}/validatingadmissionpolicies`, { ...targetPolicy, metadata, spec })
  await admin.create(`${admissionGroup}/validatingadmissionpolicybindings`, {
    ...targetPolicyBinding,
    metadata,
    spec: {
      ...targetPolicyBinding.spec,
      policyName: name,
      matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } },
    },
  })
}

/** The cases about the mutant's host come first, so that most mutants fall early. */
function casesFor({ slot }: PolicyMutant): AuthorisationCase[] {
  return authorisationCases.toSorted((a, b) => Number(b.slot === slot) - Number(a.slot === slot))
}

/** The first case that shows what the mutant lacks: taken instead of refused, refused instead of taken, or in other words. */
async function firstRed(namespace: string, cases: readonly AuthorisationCase[]): Promise<string | undefined> {
  for (const testCase of cases) {
    if (verdict(testCase, await attempt(sessions, requests(namespace), testCase)) !== undefined) return testCase.title
  }
  return undefined
}

test('no case is red with the policy as it is', async () => {
  expect(await firstRed('last', authorisationCases)).toBeUndefined()
})

describe.concurrent('a case turns red where', () => {
  test.each(policyMutants.map((mutant, index) => [mutant.title, `m${index}`, mutant] as const))(
    '%s',
    async (_, namespace, mutant) => {
      expect(await firstRed(namespace, casesFor(mutant))).toBeDefined()
    },
  )
})
