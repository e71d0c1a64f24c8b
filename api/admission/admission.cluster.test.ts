import { ControlPlane, eventually } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { customResourceDefinitions, refuseSpec } from '../index.ts'
import { ApiServer, type Answer } from './api-server.ts'
import { admissionCases } from './cases.ts'
import { disagreement } from './verdict.ts'

const collection = '/apis/keelson.dev/v1alpha1/namespaces/default/hostrequests'

let cluster: ControlPlane
let server: ApiServer

beforeAll(async () => {
  cluster = await ControlPlane.start({ controllerManager: false })
  server = new ApiServer(cluster.adminKubeconfig)
  const input = Object.values(customResourceDefinitions()).join('---\n')
  const applied = await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input })
  expect(applied, applied.stderr).toMatchObject({ exitCode: 0 })
  for (const path of [collection, '/apis/keelson.dev/v1alpha1/hosts']) {
    await eventually(`${path} is served`, async () => (await server.send('GET', path)).status === 200)
  }
})

afterAll(async () => {
  server?.[Symbol.dispose]()
  await cluster?.[Symbol.asyncDispose]()
})

async function create(spec: unknown): Promise<Answer> {
  return server.send('POST', `${collection}?dryRun=All&fieldValidation=Strict`, {
    apiVersion: 'keelson.dev/v1alpha1',
    kind: 'HostRequest',
    metadata: { name: 'case' },
    spec,
  })
}

describe.concurrent('the API server', () => {
  test.each(admissionCases.map((testCase) => [testCase.title, testCase] as const))('%s', async (_, testCase) => {
    expect(disagreement(testCase, await create(testCase.spec))).toBeUndefined()
  })
})
