import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { loadKubeconfig } from '@keelson/kube'
import { Agent, request, type Dispatcher } from 'undici'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { ControlPlane } from '../control-plane/control-plane.ts'
import { eventually } from '../deadline.ts'
import { applyManifests } from '../world/manifests.ts'

const page = resolve(import.meta.dirname, '../../docs/rest-api.md')
const collection = '/apis/keelson.dev/v1alpha1/namespaces/default/hostrequests'
const types = {
  json: 'application/json',
  apply: 'application/apply-patch+yaml',
  merge: 'application/merge-patch+json',
  protobuf: 'application/vnd.kubernetes.protobuf',
}

type Answer = { readonly code: number; readonly reason: string; readonly message: string; readonly retryAfter: string }

type Call = {
  readonly method?: Dispatcher.HttpMethod
  readonly path?: string
  readonly type?: keyof typeof types
  readonly body?: string
  readonly token?: string
}

/** A program that has the address of an API server, its authority and a token, and no client library. */
class Program {
  readonly #server: string
  readonly #dispatcher: Agent
  readonly #token: string

  private constructor(server: string, dispatcher: Agent, token: string) {
    this.#server = server
    this.#dispatcher = dispatcher
    this.#token = token
  }

  static async of(cluster: ControlPlane, account: string): Promise<Program> {
    const path = await cluster.serviceAccountKubeconfig('default', account)
    const token = /token: (\S+)/.exec(await readFile(path, 'utf8'))![1]!
    const { ca } = await loadKubeconfig(path)
    return new Program(cluster.server, new Agent({ connect: { ca: ca! }, connections: 64 }), token)
  }

  async call({ method = 'GET', path = '', type = 'json', body, token = this.#token }: Call): Promise<Answer> {
    const options = { method, body: body ?? null, dispatcher: this.#dispatcher }
    const authorization = token === '' ? {} : { authorization: `Bearer ${token}` }
    const headers = { 'content-type': types[type], ...authorization }
    const response = await request(`${this.#server}${collection}${path}`, { ...options, headers })
    const text = await response.body.text()
    const { reason = '', message = text } = text.startsWith('{') ? (JSON.parse(text) as Partial<Answer>) : {}
    return { code: response.statusCode, reason, message, retryAfter: String(response.headers['retry-after'] ?? '') }
  }

  async close(): Promise<void> {
    await this.#dispatcher.close()
  }
}

function hostRequest(name: string, fields: { readonly port?: number; readonly resourceVersion?: string } = {}): string {
  const { port = 7117, ...metadata } = fields
  const spec = { workers: [], http: { port, api: '/v1/facts', method: 'GET' } }
  return JSON.stringify({
    apiVersion: 'keelson.dev/v1alpha1',
    kind: 'HostRequest',
    metadata: { name, ...metadata },
    spec,
  })
}

async function start(flags: readonly string[] = []): Promise<ControlPlane> {
  const cluster = await ControlPlane.start({ controllerManager: false, apiServerFlags: flags })
  await applyManifests(cluster)
  return cluster
}

async function must(cluster: ControlPlane, ...args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await cluster.kubectl(args)
  if (exitCode !== 0) throw new Error(stderr)
}

async function bind(cluster: ControlPlane, account: string, role: string): Promise<void> {
  await must(
    cluster,
    'create',
    'clusterrolebinding',
    account,
    `--clusterrole=${role}`,
    `--serviceaccount=default:${account}`,
  )
}

/** What the page says may come, and what came. */
const promised: string[] = []
const received = new Set<string>()
const pair = (code: number | string, reason: string) => `${code} ${reason}`.trim()

let robot: Program
let tenant: Program
let viewer: Program
beforeAll(async () => {
  for (const [, code, reason] of (await readFile(page, 'utf8')).matchAll(/^\| (\d{3}) +\| (?:`(\w+)`)? *\|/gm))
    promised.push(pair(code!, reason ?? ''))
  const cluster = await start()
  robot = await Program.of(cluster, 'robot')
  tenant = await Program.of(cluster, 'tenant')
  viewer = await Program.of(cluster, 'viewer')
  await bind(cluster, 'robot', 'keelson-operator')
  await bind(cluster, 'viewer', 'keelson-viewer')
  // May write HostRequests, and has no right on any host.
  await must(cluster, 'create', 'clusterrole', 'writer', '--verb=*', '--resource=hostrequests.keelson.dev')
  await bind(cluster, 'tenant', 'writer')
  await eventually('the policy is in force, and the tenant is known', async () => {
    const { code, message } = await tenant.call({ method: 'POST', path: '?dryRun=All', body: hostRequest('asked') })
    return code === 403 && message.includes('may not')
  })
  await eventually('the robot is known', async () => (await robot.call({})).code === 200)
  return async () => {
    for (const program of [robot, tenant, viewer]) await program.close()
    await cluster[Symbol.asyncDispose]()
  }
})

/** Code and reason of the answer, which is noted as received. */
async function answer(program: Program, call: Call): Promise<string> {
  const { code, reason } = await program.call(call)
  received.add(pair(code, reason))
  return pair(code, reason)
}

test('a request is made, read, changed, applied and deleted', async () => {
  expect(await answer(robot, { method: 'POST', body: hostRequest('made') })).toBe('201')
  expect(await answer(robot, { path: '/made' })).toBe('200')
  const again = JSON.stringify({ spec: { runToken: 'again' } })
  expect(await answer(robot, { method: 'PATCH', path: '/made', type: 'merge', body: again })).toBe('200')
  const path = '/applied?fieldManager=robot'
  const apply = { method: 'PATCH', path, type: 'apply', body: hostRequest('applied') } as const
  expect([await answer(robot, apply), await answer(robot, apply)]).toEqual(['201', '200'])
  expect(await answer(robot, { method: 'DELETE', path: '/applied' })).toBe('200')
})

test('what is asked in a wrong way is refused with its reason', async () => {
  expect(await answer(robot, { method: 'POST', body: 'workers: []' })).toBe('400 BadRequest')
  expect(await answer(robot, { method: 'PUT', path: '/made', body: hostRequest('other') })).toBe('400 BadRequest')
  expect(await answer(robot, { path: '/none' })).toBe('404 NotFound')
  expect(await answer(robot, { method: 'POST', body: hostRequest('made') })).toBe('409 AlreadyExists')
  const old = hostRequest('made', { resourceVersion: '1' })
  expect(await answer(robot, { method: 'PUT', path: '/made', body: old })).toBe('409 Conflict')
  const path = '/made?fieldManager=other'
  const mine = { method: 'PATCH', path, type: 'apply', body: hostRequest('made', { port: 80 }) } as const
  expect(await answer(robot, mine)).toBe('409 Conflict')
  const protobuf = { method: 'PATCH', path: '/made', type: 'protobuf', body: '{}' } as const
  expect(await answer(robot, protobuf)).toBe('415 UnsupportedMediaType')
  const ssh = { method: 'POST', body: hostRequest('ssh', { port: 22 }) } as const
  expect(await answer(robot, ssh)).toBe('422 Invalid')
  expect((await robot.call(ssh)).message).toContain('spec.http.port')
})

test('who is not known, and who may not, is told so', async () => {
  expect(await answer(robot, { token: 'of-nobody' })).toBe('401 Unauthorized')
  expect(await answer(robot, { token: '' })).toBe('403 Forbidden')
  expect(await answer(viewer, { method: 'POST', body: hostRequest('mine') })).toBe('403 Forbidden')
  const all = { method: 'POST', body: hostRequest('all') } as const
  expect(await answer(tenant, all)).toBe('403 Forbidden')
  const words = /user "system:serviceaccount:default:tenant" may not get hosts\/facts on /
  expect((await tenant.call(all)).message).toMatch(words)
})

test('a server with few slots says 429, and when to come again', async () => {
  const flags = [
    '--enable-priority-and-fairness=false',
    '--max-requests-inflight=1',
    '--max-mutating-requests-inflight=1',
  ]
  const busy = await start(flags)
  onTestFinished(() => busy[Symbol.asyncDispose]())
  await bind(busy, 'robot', 'keelson-operator')
  const program = await Program.of(busy, 'robot')
  onTestFinished(() => program.close())
  // One that is just starting says 429 for another reason.
  await eventually('it serves the kind', async () => (await program.call({})).code === 200)
  const refused = await eventually('one of many is refused', async () => {
    const all = await Promise.all(Array.from({ length: 64 }, () => program.call({})))
    return all.find(({ code }) => code === 429)
  })
  expect(Number(refused.retryAfter)).toBeGreaterThan(0)
  received.add(pair(refused.code, refused.reason))
})

test('these are all the answers that docs/rest-api.md tells of', () => {
  expect([...new Set(promised)].toSorted()).toEqual([...received].toSorted())
  expect(promised.length).toBeGreaterThan(9)
})
