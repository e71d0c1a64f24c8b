import { X509Certificate } from 'node:crypto'
import type { Host } from '@keelson/api'
import { kinds, KubeClient } from '@keelson/kube'
import { ControlPlane, eventually } from '@keelson/testbed'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { hostKind } from '../kinds.ts'
import { Authority } from './authority.ts'
import { authoritySecret, readRoots } from './authority-storage.ts'
import { installKeelson, kubectl, RunningSigning } from './cluster.fixture.ts'
import { rootId } from './root.ts'
import { phaseOf } from './rotation.ts'
import { StubAgent } from './stub-agent.fixture.ts'

// The agents in here are stubs (stub-agent.fixture.ts) on 127.0.0.1; API server, Secret, ConfigMap and Hosts are real.

const { signal } = new AbortController()

let cluster: ControlPlane
let admin: KubeClient
let agents: Map<string, StubAgent>
const running: RunningSigning[] = []

beforeAll(async () => {
  cluster = await ControlPlane.start({ controllerManager: false })
  await installKeelson(cluster, [])
  admin = await KubeClient.fromKubeconfig(cluster.adminKubeconfig, { fieldManager: 'signing-test' })
})
afterAll(async () => {
  await admin?.close()
  await cluster?.[Symbol.asyncDispose]()
})
beforeEach(() => {
  agents = new Map()
})
afterEach(async () => {
  for (const each of running.splice(0)) await each[Symbol.asyncDispose]()
  for (const agent of agents.values()) await agent[Symbol.asyncDispose]()
  const system = `--namespace=${authoritySecret.namespace}`
  await kubectl(cluster, ['delete', 'secret,configmap', system, '--all'])
  await kubectl(cluster, ['delete', 'hosts', '--all'])
})

async function start(options: { now?: () => Date } = {}): Promise<RunningSigning> {
  const started = await RunningSigning.start(cluster, {
    endpointOf: ({ metadata }) => agents.get(metadata.name)?.endpoint,
    ...options,
  })
  running.push(started)
  return started
}

async function stop(operator: RunningSigning): Promise<void> {
  running.splice(running.indexOf(operator), 1)
  await operator[Symbol.asyncDispose]()
}

async function roots() {
  const stored = await readRoots(admin, signal)
  if (stored === undefined) throw new Error('no Secret')
  return stored.roots
}

async function bundle(): Promise<string[]> {
  const { data } = await admin.get(kinds.ConfigMap, { name: 'keelson-agent-trust', namespace: 'keelson-system' })
  return (data?.['ca.crt'] ?? '').match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g)?.map(rootId) ?? []
}

/** A host that has enrolled, as its Host says it is. */
async function enrol(name: string): Promise<StubAgent> {
  const authority = new Authority(await roots(), { agentLifetimeMs: 3_600_000, now: () => new Date() })
  const agent = await StubAgent.enrol(name, authority)
  agents.set(name, agent)
  await admin.create(hostKind, { metadata: { name } })
  await setReady(name, true)
  return agent
}

async function setReady(name: string, ready: boolean): Promise<void> {
  const lastTransitionTime = new Date().toISOString()
  const condition = {
    type: 'Ready',
    status: ready ? 'True' : 'False',
    reason: 'Test',
    message: '',
    lastTransitionTime,
  } as const
  const status: Host['status'] = { addresses: [], role: 'Worker', conditions: [condition] }
  const host = await admin.get(hostKind, { name })
  await admin.updateStatus(hostKind, { metadata: host.metadata, status })
}

const rotate = () =>
  kubectl(cluster, [
    ...['annotate', 'secret', `--namespace=${authoritySecret.namespace}`, authoritySecret.name],
    'keelson.dev/rotate=now',
  ])

const phase = async () => {
  const { current, next, previous } = await roots()
  return phaseOf({ current, ...(next ? { next } : {}), ...(previous ? { previous } : {}) })
}

test('the Secret is made once: two operators that begin together have one root, and later ones the same', async () => {
  const [one, other] = await Promise.all([start(), start()])
  expect(one.signing.identities.certificate('control').ca).toBe(other.signing.identities.certificate('control').ca)
  const first = await roots()
  await stop(one)
  await stop(other)
  await start()
  expect(await roots()).toEqual(first)
  expect(await bundle()).toEqual([rootId(first.current.certificate)])
})

test('what is not an authority is left as it is, and the operator says so', async () => {
  await kubectl(cluster, [
    ...['create', 'secret', 'generic', `--namespace=${authoritySecret.namespace}`, authoritySecret.name],
    ...['--from-literal=ca.crt=x', '--from-literal=ca.key=y'],
  ])
  await expect(start()).rejects.toMatchObject({
    code: 'AuthorityUnreadable',
    message: expect.stringContaining('ca.crt and ca.key are not a certificate and its key') as string,
  })
  const secret = await admin.get(kinds.Secret, authoritySecret)
  expect(secret.data).toEqual({ 'ca.crt': btoa('x'), 'ca.key': btoa('y') })
})

test('a Secret or ConfigMap that somebody deletes is written again, with the same root', async () => {
  await start()
  const first = await roots()
  await admin.delete(kinds.Secret, authoritySecret)
  await admin.delete(kinds.ConfigMap, { name: 'keelson-agent-trust', namespace: 'keelson-system' })
  await eventually(
    'both are back',
    async () => (await readRoots(admin, signal)) !== undefined && (await bundle()).length === 1,
  )
  expect(await roots()).toEqual(first)
})

test('a root is replaced with one host away: the old root stays until that is back', async () => {
  const operator = await start()
  const [here, away] = [await enrol('here'), await enrol('away')]
  const first = rootId((await roots()).current.certificate)
  await setReady('away', false)
  const endpoint = agents.get('away')!
  agents.delete('away')

  await rotate()
  await eventually('the new root signs', async () => (await phase()) === 'Replacing')
  const { current, previous } = await roots()
  const second = rootId(current.certificate)
  expect(rootId(previous!.certificate)).toBe(first)
  expect(await bundle()).toEqual([second, first])
  await eventually('the host that is here is of the new root', () =>
    here.certificate.checkIssued(new X509Certificate(current.certificate)),
  )
  expect(here.roots).toBe(2)
  await eventually('it is said for whom it waits', () =>
    operator.log.some((line) => line.includes('root rotation waits for hosts') && line.includes('"hosts":"away"')),
  )
  expect(await phase()).toBe('Replacing')
  const { metadata } = await admin.get(kinds.Secret, authoritySecret)
  expect(metadata.annotations ?? {}).not.toHaveProperty('keelson.dev/rotate')

  // The next leader has nothing but the Secret.
  await stop(operator)
  await start()
  expect(away.roots).toBe(1)
  agents.set('away', endpoint)
  await setReady('away', true)
  await eventually('the old root is dropped', async () => (await phase()) === 'Steady')
  expect(away.certificate.checkIssued(new X509Certificate(current.certificate))).toBe(true)
  expect(await bundle()).toEqual([second])
  expect(here.asked + away.asked).toBe(3)
})

test('… or until its certificate has expired, or its Host is gone', async () => {
  let now = new Date()
  const operator = await start({ now: () => now })
  const names = ['gone', 'lost']
  const away = await Promise.all(names.map(enrol))
  await eventually('both were seen', () => away.every(({ visits }) => visits > 0))
  for (const name of names) await setReady(name, false)
  for (const agent of away) await agent[Symbol.asyncDispose]()

  await rotate()
  const waitsFor = async (hosts: string) =>
    eventually(`it waits for ${hosts}`, () =>
      operator.log.some(
        (line) => line.includes('root rotation waits for hosts') && line.includes(`"hosts":"${hosts}"`),
      ),
    )
  await waitsFor('gone, lost')
  expect(await phase()).toBe('Replacing')
  await admin.delete(hostKind, { name: 'gone' })
  await waitsFor('lost')
  expect(await phase()).toBe('Replacing')
  // It was signed after `now` was read, for an hour.
  now = new Date(now.getTime() + 3_700_000)
  await eventually('the old root is dropped', async () => (await phase()) === 'Steady')
})
