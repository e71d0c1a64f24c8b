import { ControlPlane, eventually } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { CustomResourceDefinition } from '../crd/custom-resource-definition.ts'
import { customResourceDefinitions } from '../index.ts'
import { ApiServer, type Answer } from './api-server.ts'
import type { AdmissionCase } from './case.ts'
import { admissionCases } from './cases.ts'
import { mutants, type Mutant } from './mutants.ts'
import { serverVerdict } from './verdict.ts'

const file = customResourceDefinitions()['hostrequests.keelson.dev.yaml']
const definition = parse(file ?? '') as CustomResourceDefinition
const { schema } = definition.spec.versions[0]
const subjects = [...mutants(schema.openAPIV3Schema, '')].filter(({ field }) => field.startsWith('spec'))
const refusedCases = admissionCases.filter(({ refused }) => refused)

let cluster: ControlPlane
let server: ApiServer

beforeAll(async () => {
  cluster = await ControlPlane.start({ controllerManager: false })
  server = new ApiServer(cluster.adminKubeconfig)
  for (const [index, mutant] of subjects.entries()) await install(group(index), mutant)
})

afterAll(async () => {
  server?.[Symbol.dispose]()
  await cluster?.[Symbol.asyncDispose]()
})

function group(index: number): string {
  return `m${index}.mutant.keelson.dev`
}

/** Mutants live side by side, each in an API group of its own. */
async function install(name: string, mutant: Mutant): Promise<void> {
  const { shortNames: _, categories: __, ...names } = definition.spec.names
  const [version] = definition.spec.versions
  const { status, body } = await server.send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    ...definition,
    metadata: { name: `hostrequests.${name}` },
    spec: {
      ...definition.spec,
      group: name,
      names,
      versions: [{ ...version, schema: { openAPIV3Schema: mutant.schema } }],
    },
  })
  if (status !== 201) throw new Error(`${mutant.field} ${mutant.rule}: ${JSON.stringify(body)}`)
}

async function tryCreate(name: string, spec: unknown): Promise<Answer> {
  return server.send('POST', `/apis/${name}/v1alpha1/namespaces/default/hostrequests?dryRun=All`, {
    apiVersion: `${name}/v1alpha1`,
    kind: 'HostRequest',
    metadata: { name: 'case' },
    spec,
  })
}

/** The cases that aim at the mutant's field come first, so that most mutants fall to the first of them. */
function casesFor({ field }: Mutant): AdmissionCase[] {
  const distance = ({ refused }: AdmissionCase) => {
    const aim = refused?.field.replaceAll(/\[\d+\]/g, '[]') ?? ''
    if (aim === field) return 0
    return aim.startsWith(field) || field.startsWith(aim) ? 1 : 2
  }
  return refusedCases.toSorted((a, b) => distance(a) - distance(b))
}

/**
 * The first case that shows that the rule is gone: accepted, or refused in other words (a rule that reads a field which is
 * not required any more fails on its own).
 */
async function firstRed(name: string, cases: readonly AdmissionCase[]): Promise<string | undefined> {
  for (const testCase of cases) {
    const answer = await tryCreate(name, testCase.spec)
    // Any other answer says nothing about rules.
    if (answer.status !== 201 && answer.status !== 422) throw new Error(`${answer.status} ${answer.body.message ?? ''}`)
    if (serverVerdict(testCase, answer) !== undefined) return testCase.title
  }
  return undefined
}

describe.concurrent('a case turns red without', () => {
  test.each(subjects.map((mutant, index) => [`${mutant.field}: ${mutant.rule}`, group(index), mutant] as const))(
    '%s',
    async (_, name, mutant) => {
      const path = `/apis/${name}/v1alpha1/hostrequests`
      await eventually(`${path} is served`, async () => (await server.send('GET', path)).status === 200, 30_000)
      expect(await firstRed(name, casesFor(mutant))).toBeDefined()
    },
  )
})
