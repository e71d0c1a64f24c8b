import { ControlPlane, eventually } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bindingOf, type AdmissionPolicy } from '../admission-policy.ts'
import { ApiServer } from '../admission/api-server.ts'
import { http } from '../admission/case.ts'
import { customResourceDefinitions, targetPolicy } from '../index.ts'
import { attempt, creation, existing, verdict, type AuthorisationCase } from './case.ts'
import { arrive, rightsAreKnown, settleIn, type Sessions } from './people.ts'
import { policyMutants, subjects, type PolicyMutant } from './policy-mutants.ts'
import { secretive } from './secret-cases.ts'

const mutants = subjects.flatMap((subject) => policyMutants(subject).map((mutant) => ({ ...mutant, subject })))

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
  for (const [index, { policy, spec }] of mutants.entries()) await install(`m${index}`, policy, spec)
  for (const [index, { policy }] of subjects.entries()) await install(`whole${index}`, policy, policy.spec)
  // The API server takes policies and bindings, and rights, in the order in which they were made: with the last one all are in force.
  await install('last', targetPolicy, targetPolicy.spec)
  await eventually('rights are known', () => rightsAreKnown(admin, 'last'))
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
async function install(name: string, policy: AdmissionPolicy, spec: PolicyMutant['spec']): Promise<void> {
  const metadata = { name }
  await admin.create('/api/v1/namespaces', { metadata })
  for (const request of [existing, secretive]) await admin.create(requests(name), request)
  await settleIn(admin, name)
  await admin.create(`${admissionGroup}/validatingadmissionpolicies`, { ...policy, metadata, spec })
  const binding = bindingOf(policy)
  await admin.create(`${admissionGroup}/validatingadmissionpolicybindings`, {
    ...binding,
    metadata,
    spec: {
      ...binding.spec,
      policyName: name,
      matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } },
    },
  })
}

/** The cases about the mutant's host or Secret come first, so that most mutants fall early. */
function casesFor({ slot, subject }: (typeof mutants)[number]): AuthorisationCase[] {
  return subject.cases.toSorted((a, b) => Number(b.slot === slot) - Number(a.slot === slot))
}

/** The first case that shows what the mutant lacks: taken instead of refused, refused instead of taken, or in other words. */
async function firstRed(namespace: string, cases: readonly AuthorisationCase[]): Promise<string | undefined> {
  for (const testCase of cases) {
    if (verdict(testCase, await attempt(sessions, requests(namespace), testCase), namespace) !== undefined)
      return testCase.title
  }
  return undefined
}

test.each(subjects.map(({ policy, cases }, index) => [policy.metadata.name, `whole${index}`, cases] as const))(
  'no case is red with %s as it is',
  async (_, namespace, cases) => {
    expect(await firstRed(namespace, cases)).toBeUndefined()
  },
)

describe.concurrent('a case turns red where', () => {
  test.each(mutants.map((mutant, index) => [mutant.policy.metadata.name, mutant.title, `m${index}`, mutant] as const))(
    '%s: %s',
    async (_, _title, namespace, mutant) => {
      expect(await firstRed(namespace, casesFor(mutant))).toBeDefined()
    },
  )
})
