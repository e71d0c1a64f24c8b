import { Writable } from 'node:stream'
import { boundNodeUid, type Host } from '@keelson/api'
import { pino } from 'pino'
import { beforeEach, expect, test } from 'vitest'
import { Authority } from './authority.ts'
import { OperatorIdentities } from './operator-identities.ts'
import { Renewal } from './renewal.ts'
import { makeRoot } from './root.ts'
import { takeStep } from './root-set.ts'
import { StubAgent } from './stub-agent.fixture.ts'

// The agents in here are stubs (stub-agent.fixture.ts): what is judged is the operator's side of the wire.

const day = 86_400_000
const lifetimeMs = 30 * day
const { signal } = new AbortController()

let now: Date
let authority: Authority
let identities: OperatorIdentities
let hosts: Map<string, Host>
let agents: Map<string, StubAgent>
let renewal: Renewal
/** Of the Nodes that have these names now. */
let nodeUids: Map<string, string>
let log: string[]

beforeEach(async () => {
  // TLS looks at the real clock, so certificates must be good in both.
  now = new Date()
  authority = new Authority({ current: await makeRoot(now) }, { agentLifetimeMs: lifetimeMs, now: () => now })
  identities = await OperatorIdentities.issue(authority, () => now)
  hosts = new Map()
  agents = new Map()
  nodeUids = new Map()
  renewal = newRenewal()
  return async () => {
    for (const agent of agents.values()) await agent[Symbol.asyncDispose]()
  }
})

function newRenewal(): Renewal {
  log = []
  const lines = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log.push(chunk.toString())
      done()
    },
  })
  return new Renewal({
    ...{ authority, identities, now: () => now, random: () => 0, logger: pino(lines) },
    hosts: { size: 0, get: (name) => hosts.get(name), list: () => [...hosts.values()] },
    endpointOf: ({ metadata: { name } }) => {
      const agent = agents.get(name)
      return agent && { ...agent.endpoint, nodeUid: nodeUids.get(name) }
    },
  })
}

async function enrol(name: string, nodeUid?: string): Promise<StubAgent> {
  hosts.set(name, hostNamed(name))
  const agent = await StubAgent.enrol(name, authority, nodeUid)
  agents.set(name, agent)
  return agent
}

function hostNamed(name: string, uid = `uid of ${name}`): Host {
  const lastTransitionTime = '2026-01-01T00:00:00Z'
  const ready = { type: 'Ready', status: 'True', reason: 'AgentAnswers', message: '', lastTransitionTime } as const
  return {
    apiVersion: 'keelson.dev/v1alpha1',
    kind: 'Host',
    metadata: { name, uid },
    status: { addresses: [], role: 'Worker', conditions: [ready] },
  }
}

test('a fresh certificate is left alone until two thirds of its life are over', async () => {
  const agent = await enrol('node1')
  expect(await renewal.reconcile('node1', signal)).toEqual({ requeueAfterMs: day })
  now = new Date(now.getTime() + 19.5 * day)
  const { requeueAfterMs } = (await renewal.reconcile('node1', signal)) ?? {}
  expect(requeueAfterMs! / day).toBeCloseTo(0.5, 3)
  expect(agent.asked).toBe(0)

  const before = agent.certificate
  now = new Date(now.getTime() + 0.51 * day)
  await renewal.reconcile('node1', signal)
  expect(agent.asked).toBe(1)
  expect(agent.certificate.validToDate.getTime()).toBeCloseTo(now.getTime() + lifetimeMs, -4)
  expect(agent.certificate.publicKey.equals(before.publicKey)).toBe(false)
  expect(log.join('')).toContain('certificate renewed')
})

test('the new certificate is shown from the next connection on, and left alone', async () => {
  const agent = await enrol('node1')
  now = new Date(now.getTime() + 21 * day)
  await renewal.reconcile('node1', signal)
  await renewal.reconcile('node1', signal)
  expect(agent.asked).toBe(1)
})

test('an agent that asks for the name of another host gets nothing', async () => {
  const agent = await enrol('node1')
  agent.claims = 'node2'
  now = new Date(now.getTime() + 21 * day)
  const before = agent.certificate.fingerprint256
  expect(await renewal.reconcile('node1', signal)).toEqual({ requeueAfterMs: 150_000 })
  expect(agent.certificate.fingerprint256).toBe(before)
  expect(log.join('')).toContain('the agent asks for the certificate of node2')
})

test('another host at the address of this one is not talked to', async () => {
  await enrol('node1')
  const other = await enrol('node2')
  agents.set('node1', agents.get('node2')!)
  const { endpoint } = other
  now = new Date(now.getTime() + 21 * day)
  const misled = new Renewal({
    ...{ authority, identities, now: () => now, random: () => 0, logger: pino({ level: 'silent' }) },
    hosts: { size: 0, get: (name) => hosts.get(name), list: () => [...hosts.values()] },
    endpointOf: ({ metadata }) => ({ ...endpoint, host: metadata.name }),
  })
  await misled.reconcile('node1', signal)
  expect(other.asked).toBe(0)
})

test('an agent that refuses the certificate: its reason is logged, and it is tried again', async () => {
  const agent = await enrol('node1')
  agent.refusal = { code: 'CertificateRefused', message: 'not for my key' }
  now = new Date(now.getTime() + 21 * day)
  expect(await renewal.reconcile('node1', signal)).toEqual({ requeueAfterMs: 150_000 })
  expect(log.join('')).toContain('PUT /v1/trust: HTTP 422 CertificateRefused: not for my key')
  agent.refusal = undefined
  await renewal.reconcile('node1', signal)
  expect(agent.asked).toBe(2)
})

test('a host that is gone is forgotten; one that is made again under its name is another', async () => {
  await enrol('node1')
  await renewal.reconcile('node1', signal)
  expect(renewal.trust()).toMatchObject([{ host: 'node1', signer: authority.rotation.current }])
  hosts.set('node1', hostNamed('node1', 'another uid'))
  expect(renewal.trust()).toMatchObject([{ host: 'node1', signer: undefined }])
  hosts.delete('node1')
  expect(await renewal.reconcile('node1', signal)).toBeUndefined()
  expect(renewal.trust()).toEqual([])
})

test('a root is replaced step by step; a host that was away all the while is found by the cross-certificate', async () => {
  const [here, away] = [await enrol('here'), await enrol('away')]
  const first = authority.rotation.current
  const walk = async (step: 'Announce' | 'Sign' | 'Drop') => {
    authority.adopt(await takeStep(authority.roots, step, now))
    await identities.refresh()
    await renewal.reconcile('here', signal)
  }
  await walk('Announce')
  expect(here.roots).toBe(2)
  expect(authority.signerOf(here.certificate)).toBe(first)
  expect(renewal.trust()).toMatchObject([{ host: 'here', bundle: [first, authority.rotation.next] }, { host: 'away' }])

  await walk('Sign')
  const second = authority.rotation.current
  expect(second).not.toBe(first)
  expect(authority.signerOf(here.certificate)).toBe(second)
  expect(renewal.trust()).toMatchObject([
    { host: 'here', signer: second },
    { host: 'away', bundle: undefined, signer: undefined },
  ])

  // Another leader has nothing of what was seen.
  renewal = newRenewal()
  await identities.refresh()
  expect(away.roots).toBe(1)
  await renewal.reconcile('away', signal)
  expect(authority.signerOf(away.certificate)).toBe(second)
  expect(away.roots).toBe(2)

  await walk('Drop')
  await renewal.reconcile('away', signal)
  expect(renewal.trust()).toMatchObject([{ signer: second }, { signer: second }])
})

test("the operator's own certificates: one name each, for clients, made anew after two thirds of a day and with other roots", async () => {
  const { control, request } = identities.all
  expect(control.certificate).not.toBe(request.certificate)
  await identities.refresh()
  expect(identities.certificate('control')).toBe(control)
  now = new Date(now.getTime() + 0.67 * day)
  await identities.refresh()
  const later = identities.certificate('control')
  expect(later).not.toBe(control)
  authority.adopt(await takeStep(authority.roots, 'Announce', now))
  await identities.refresh()
  expect(identities.certificate('control').ca).toBe(authority.bundle)
  expect(identities.certificate('control')).not.toBe(later)
})

test('a certificate stays bound to its Node; one that is bound to none is bound at once when there is a Node', async () => {
  const bound = await enrol('node1', 'uid-1')
  const unbound = await enrol('node2')
  nodeUids.set('node1', 'uid-1')
  for (const name of ['node1', 'node2']) await renewal.reconcile(name, signal)
  expect([bound.asked, unbound.asked]).toEqual([0, 0])
  nodeUids.set('node2', 'uid-2')
  now = new Date(now.getTime() + 10 * day)
  for (const name of ['node1', 'node2', 'node2']) await renewal.reconcile(name, signal)
  expect([bound.asked, unbound.asked]).toEqual([0, 1])
  now = new Date(now.getTime() + 11 * day)
  await renewal.reconcile('node1', signal)
  expect(bound.asked).toBe(1)
  expect([bound, unbound].map(({ certificate }) => boundNodeUid(certificate.subject))).toEqual(['uid-1', 'uid-2'])
})

test.each([
  ['another Node has the name', 'uid-2'],
  ['no Node has the name', undefined],
])('a certificate of a Node that was deleted is not renewed: %s', async (_case, uid) => {
  const agent = await enrol('node1', 'uid-1')
  if (uid !== undefined) nodeUids.set('node1', uid)
  now = new Date(now.getTime() + 21 * day)
  await renewal.reconcile('node1', signal)
  expect(agent.asked).toBe(0)
  expect(log.join('')).toContain('CertificateRevoked')
})
