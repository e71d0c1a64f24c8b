import { ControlPlane, eventually } from '@keelson/testbed'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { customResourceDefinitions } from '../index.ts'
import { ApiServer, type Answer } from './api-server.ts'
import { withParameters } from './case.ts'
import { admissionCases } from './cases.ts'
import { dispute, serverVerdict } from './verdict.ts'

const kinds = '/apis/keelson.dev/v1alpha1'
const requests = `${kinds}/namespaces/default/hostrequests`

let cluster: ControlPlane
let server: ApiServer

beforeAll(async () => {
  cluster = await ControlPlane.start({ controllerManager: false })
  server = new ApiServer(cluster.adminKubeconfig)
  const input = Object.values(customResourceDefinitions()).join('---\n')
  await kubectl(['apply', '--server-side', '-f', '-'], input)
  for (const path of [requests, `${kinds}/hosts`]) {
    await eventually(`${path} is served`, async () => (await server.send('GET', path)).status === 200)
  }
})

afterAll(async () => {
  server?.[Symbol.dispose]()
  await cluster?.[Symbol.asyncDispose]()
})

async function kubectl(args: readonly string[], input?: string): Promise<string> {
  const { exitCode, stdout, stderr } = await cluster.kubectl(args, input === undefined ? {} : { input })
  if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
  return stdout
}

async function tryCreate(spec: unknown): Promise<Answer> {
  return server.send('POST', `${requests}?dryRun=All&fieldValidation=Strict`, {
    apiVersion: 'keelson.dev/v1alpha1',
    kind: 'HostRequest',
    metadata: { name: 'case' },
    spec,
  })
}

describe.concurrent('the API server', () => {
  test.each(admissionCases.map((testCase) => [testCase.title, testCase] as const))('%s', async (_, testCase) => {
    const answer = await tryCreate(testCase.spec)
    expect(serverVerdict(testCase, answer)).toBeUndefined()
    expect(dispute(testCase.spec, answer)).toBeUndefined()
  })
})

test('API server and controller refuse the same parameters in the same words', async () => {
  const character = fc.oneof(
    fc.constantFrom('a', 'b', 'z', '0', '9', '.', '_', '/', '-'),
    fc.nat(0x7f).map((code) => String.fromCodePoint(code)),
    fc.constantFrom('é', '\u0080', '\u2028', '中', '🦀'),
  )
  const text = fc.string({ unit: character, maxLength: 12 })
  const key = fc.string({ unit: character, minLength: 1, maxLength: 4 })
  const parameters = fc.array(fc.record({ key, value: text }), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(parameters, async (list) => {
      const spec = withParameters(...list)
      expect(dispute(spec, await tryCreate(spec))).toBeUndefined()
    }),
    { numRuns: 300 },
  )
})

test('a message stays in one line and bears no character that a terminal obeys', async () => {
  const { body } = await tryCreate(withParameters({ key: 'a\u001b[31m\n', value: '\u001b[31m\n' }))
  expect(body.details?.causes).toHaveLength(3)
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  for (const { message } of body.details?.causes ?? []) expect(message).toMatch(/^[^\x00-\x1f\x7f-\x9f]*$/)
})
