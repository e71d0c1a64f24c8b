import { ControlPlane, eventually } from '@keelson/testbed'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { HostRequestSpec } from '../host-request.ts'
import type { CustomResourceDefinition } from './custom-resource-definition.ts'
import { customResourceDefinitions } from './kinds.ts'
import { largestHostStatus, largestRequestStatus } from './largest-status.ts'
import type { StructuralSchema } from './structural-schema.ts'

const apiVersion = 'keelson.dev/v1alpha1'
const definitions = Object.values(customResourceDefinitions()).map((text) => parse(text) as CustomResourceDefinition)

let cluster: ControlPlane

beforeAll(async () => {
  cluster = await ControlPlane.start({ controllerManager: false })
  await kubectl(['apply', '--server-side', '-f', '-'], Object.values(customResourceDefinitions()).join('---\n'))
  // Discovery comes first, the OpenAPI document that explain reads a second later.
  for (const kind of ['hosts', 'hreq']) {
    await eventually(`${kind} can be explained`, () => kubectl(['explain', kind]), 30_000, 200)
    await eventually(`${kind} are served`, () => kubectl(['get', kind]), 30_000, 200)
  }
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

async function kubectl(args: readonly string[], object?: unknown): Promise<string> {
  const input = typeof object === 'string' ? object : JSON.stringify(object)
  const { exitCode, stdout, stderr } = await cluster.kubectl(args, object === undefined ? {} : { input })
  if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
  return stdout
}

const spec = { workers: [{ name: 'node1' }], http: { port: 7117, api: '/v1/sysctl', method: 'POST' } }

function hostRequest(name: string) {
  return { apiVersion, kind: 'HostRequest', metadata: { name, namespace: 'default' }, spec }
}

function host(name: string) {
  return { apiVersion, kind: 'Host', metadata: { name } }
}

/** Creates the object, then writes its status as an operator does. */
async function createWithStatus(
  object: { readonly metadata: { readonly name: string } },
  status: unknown,
): Promise<void> {
  const created = JSON.parse(await kubectl(['create', '-o', 'json', '-f', '-'], object)) as object
  await kubectl(['replace', '--subresource=status', '-f', '-'], { ...created, status })
}

/** The paths below which `kubectl explain` lists fields. */
function objectPaths(schema: StructuralSchema, path: string): string[] {
  if (schema.items) return objectPaths(schema.items, path)
  if (!schema.properties) return []
  const fields = Object.entries(schema.properties).filter(([name]) => name !== 'metadata')
  return [path, ...fields.flatMap(([name, field]) => objectPaths(field, `${path}.${name}`))]
}

test.each(
  definitions.map((definition) => {
    const [{ schema }] = definition.spec.versions
    const { metadata } = definition
    return [
      metadata.name,
      objectPaths(schema.openAPIV3Schema, metadata.name.slice(0, metadata.name.indexOf('.'))),
    ] as const
  }),
)('kubectl explain describes every field of %s', async (_, paths) => {
  expect(paths.length).toBeGreaterThan(3)
  const [kind = ''] = paths
  expect(await kubectl(['explain', kind, '--recursive'])).not.toMatch(/<no description>|<empty>/)
  for (const path of paths) expect(await kubectl(['explain', path])).not.toMatch(/<no description>|<empty>/)
})

test('kubectl explain tells unit and default of a number that may be a percentage', async () => {
  const said = await kubectl(['explain', 'hreq.spec.parallelism'])
  expect(said.replaceAll(/\s+/g, ' ')).toContain('a percentage of the targets, 1% to 100%. Default: 64 hosts.')
})

test('the API server fills in the defaults that the schema fills in', async () => {
  const stored = JSON.parse(await kubectl(['create', '-o', 'json', '-f', '-'], hostRequest('defaults'))) as {
    spec: unknown
  }
  expect(stored.spec).toEqual(HostRequestSpec.parse(spec))
})

test('columns of a HostRequest', async () => {
  const status = {
    ...largestRequestStatus('m'),
    state: 'ERROR',
    msg: '1/2 hosts answered; failed: node2 (HTTP 500)',
    progress: '1/2',
    counts: { targets: 3, succeeded: 1, failed: 1, unknown: 0, skipped: 1 },
    conditions: [
      { type: 'Finished', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z', reason: 'Other', message: '' },
      {
        type: 'Ready',
        status: 'False',
        lastTransitionTime: '2026-01-01T00:00:00Z',
        reason: 'HostsFailed',
        message: '',
      },
    ],
  }
  await createWithStatus(hostRequest('columns'), status)
  expect(columns(await kubectl(['get', 'hreq', 'columns']))).toEqual([
    ['NAME', 'STATE', 'PROGRESS', 'FAILED', 'AGE'],
    ['columns', 'ERROR', '1/2', '1', expect.any(String)],
  ])
  expect(columns(await kubectl(['get', 'hostrequests.keelson.dev', 'columns', '-o', 'wide']))).toEqual([
    ['NAME', 'STATE', 'PROGRESS', 'FAILED', 'AGE', 'SKIPPED', 'UNKNOWN', 'REASON', 'MESSAGE'],
    ['columns', 'ERROR', '1/2', '1', expect.any(String), '1', '0', 'HostsFailed', status.msg],
  ])
})

test('columns of a Host', async () => {
  const { facts, ...status } = largestHostStatus('m')
  await createWithStatus(host('columns'), {
    ...status,
    addresses: [
      { type: 'Hostname', address: 'columns' },
      { type: 'InternalIP', address: '10.0.0.1' },
    ],
    facts: {
      ...facts,
      kernelVersion: '6.1.0-1-amd64',
      agentVersion: '0.1.0',
      os: { id: 'debian', versionID: '12', name: 'Debian 12' },
    },
    conditions: ['Online', 'Ready'].map((type) => ({
      type,
      status: type === 'Online' ? 'True' : 'False',
      lastTransitionTime: '2026-01-01T00:00:00Z',
      reason: 'Reason',
      message: '',
    })),
  })
  expect(columns(await kubectl(['get', 'hosts', 'columns', '-o', 'wide']))).toEqual([
    ['NAME', 'READY', 'ONLINE', 'ROLE', 'ADDRESS', 'KERNEL', 'AGE', 'OS', 'AGENT'],
    ['columns', 'False', 'True', 'ControlPlane', '10.0.0.1', '6.1.0-1-amd64', expect.any(String), 'Debian 12', '0.1.0'],
  ])
  expect(columns(await kubectl(['get', 'hosts', 'columns']))[0]).toEqual([
    'NAME',
    'READY',
    'ONLINE',
    'ROLE',
    'ADDRESS',
    'KERNEL',
    'AGE',
  ])
})

test('both kinds are in the category keelson', async () => {
  await kubectl(['create', '-f', '-'], hostRequest('category'))
  await kubectl(['create', '-f', '-'], host('category'))
  const names = await kubectl(['get', 'keelson', '-o', 'name'])
  expect(names).toContain('host.keelson.dev/category\n')
  expect(names).toContain('hostrequest.keelson.dev/category\n')
})

test.each(['a', '中'])('the largest statuses are accepted, made of %s', async (character) => {
  const name = character === 'a' ? 'largest-ascii' : 'largest'
  await createWithStatus(hostRequest(name), largestRequestStatus(character))
  await createWithStatus(host(name), largestHostStatus(character))
  const status = JSON.parse(await kubectl(['get', 'hreq', name, '-o', 'json'])) as { status: unknown }
  expect(status.status).toEqual(largestRequestStatus(character))
})

test('who may write HostRequests alone writes no status', async () => {
  const kubeconfig = await cluster.serviceAccountKubeconfig('default', 'person')
  const rules = [{ apiGroups: ['keelson.dev'], resources: ['hostrequests'], verbs: ['*'] }]
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'person', namespace: 'default' },
    rules,
  }
  await kubectl(['create', '-f', '-'], role)
  await kubectl(['create', 'rolebinding', 'person', '--role=person', '--serviceaccount=default:person'])

  const forged = { ...hostRequest('forged'), status: largestRequestStatus('a') }
  const create = () => cluster.kubectl(['create', '-f', '-'], { kubeconfig, input: JSON.stringify(forged) })
  await eventually('the person may create', async () => (await create()).exitCode === 0)
  const patch = ['patch', 'hreq', 'forged', '--type=merge', '-p', '{"status":{"state":"SUCCESS"}}']
  expect(await cluster.kubectl(patch, { kubeconfig })).toMatchObject({ exitCode: 0 })
  expect(JSON.parse(await kubectl(['get', 'hreq', 'forged', '-o', 'json']))).not.toHaveProperty('status')

  const refused = await cluster.kubectl([...patch, '--subresource=status'], { kubeconfig })
  expect(refused.exitCode).not.toBe(0)
  expect(refused.stderr).toContain('Forbidden')
})

/** The cells of a table of kubectl, which parts them by two spaces or more. */
function columns(table: string): string[][] {
  return table
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().split(/ {2,}/))
}
