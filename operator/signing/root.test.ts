import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { boundNodeUid } from '@keelson/api'
import { expect, test } from 'vitest'
import { Authority } from './authority.ts'
import { holdsItsKey, makeRoot, rootId } from './root.ts'
import { takeStep } from './root-set.ts'
import { phaseOf } from './rotation.ts'

const now = new Date('2026-06-01T12:00:00Z')
const hour = 3_600_000
const publicKey = (curve = 'P-256') =>
  generateKeyPairSync('ec', { namedCurve: curve }).publicKey.export({ type: 'spki', format: 'der' })

async function authority(agentLifetimeMs = 30 * 24 * hour): Promise<Authority> {
  return new Authority({ current: await makeRoot(now) }, { agentLifetimeMs, now: () => now })
}

test('a root: ten years, its own key, a name that no other root has', async () => {
  const [one, other] = [await makeRoot(now), await makeRoot(now)]
  const certificate = new X509Certificate(one.certificate)
  expect(certificate).toMatchObject({ ca: true, subject: certificate.issuer })
  expect(certificate.validFromDate.getTime()).toBe(now.getTime() - hour)
  expect(certificate.validToDate.getTime()).toBe(now.getTime() + 3_650 * 24 * hour)
  expect(holdsItsKey(one)).toBe(true)
  expect(holdsItsKey({ ...one, key: other.key })).toBe(false)
  expect(new X509Certificate(other.certificate).subject).not.toBe(certificate.subject)
  expect(rootId(one.certificate)).not.toBe(rootId(other.certificate))
})

test("an agent's certificate: one name, for servers only, backdated by an hour, as long as is set", async () => {
  const signer = await authority()
  const key = publicKey('P-384')
  const issued = await signer.signAgent({ name: 'node1.example.org', nodeUid: undefined }, key)
  const certificate = new X509Certificate(issued.certificate)
  expect(certificate).toMatchObject({
    ca: false,
    subject: 'CN=node1.example.org',
    subjectAltName: 'DNS:node1.example.org',
    keyUsage: ['1.3.6.1.5.5.7.3.1'],
  })
  expect(certificate.publicKey.equals(createPublicKey({ key, format: 'der', type: 'spki' }))).toBe(true)
  expect(certificate.validFromDate.getTime()).toBe(now.getTime() - hour)
  expect(issued.expiresAt.getTime()).toBe(now.getTime() + 30 * 24 * hour)
  expect(signer.signerOf(certificate)).toBe(issued.signer)
  expect((await authority()).signerOf(certificate)).toBeUndefined()
})

test('one for the host of a Node is bound to that Node, however long the name; its only name stays its only name', async () => {
  const signer = await authority()
  const nodeUid = '0d2c6ad1-9a1e-4c0e-8a55-3a2f4e3f7b10'
  for (const name of ['node1', `${'n'.repeat(63)}.${'o'.repeat(63)}`]) {
    const { certificate } = await signer.signAgent({ name, nodeUid }, publicKey())
    const { subject, subjectAltName } = new X509Certificate(certificate)
    expect(boundNodeUid(subject)).toBe(nodeUid)
    expect(subjectAltName).toBe(`DNS:${name}`)
  }
})

test('a shorter life is given where it is asked for, a longer one is not; a root is never outlived', async () => {
  const short = await authority(10 * hour)
  expect((await short.signAgent({ name: 'n', nodeUid: undefined }, publicKey(), hour)).expiresAt.getTime()).toBe(
    now.getTime() + hour,
  )
  expect((await short.signAgent({ name: 'n', nodeUid: undefined }, publicKey(), 90 * hour)).expiresAt.getTime()).toBe(
    now.getTime() + 10 * hour,
  )
  const long = await authority(1_000_000 * hour)
  const root = new X509Certificate(long.roots.current.certificate)
  expect((await long.signAgent({ name: 'n', nodeUid: undefined }, publicKey())).expiresAt).toEqual(root.validToDate)
})

test('the longest name that a Host can have', async () => {
  const name = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`
  const { certificate } = await (await authority()).signAgent({ name, nodeUid: undefined }, publicKey())
  expect(new X509Certificate(certificate).checkHost(name, { subject: 'never', wildcards: false })).toBe(name)
})

test('two hundred certificates have serial numbers of their own', async () => {
  const signer = await authority()
  const key = publicKey()
  const issued = await Promise.all(
    Array.from({ length: 200 }, () => signer.signAgent({ name: 'n', nodeUid: undefined }, key)),
  )
  expect(new Set(issued.map(({ certificate }) => new X509Certificate(certificate).serialNumber)).size).toBe(200)
})

test('the roots step by step: never more than two, and the key of the previous one is gone', async () => {
  const signer = await authority()
  const first = signer.roots.current
  const walk = async (step: 'Announce' | 'Sign' | 'Drop') => {
    signer.adopt(await takeStep(signer.roots, step, now))
    return { phase: phaseOf(signer.rotation), roots: signer.bundle.match(/BEGIN CERTIFICATE/g)?.length }
  }
  expect(await walk('Announce')).toEqual({ phase: 'Announcing', roots: 2 })
  expect(signer.roots.current).toBe(first)
  const second = signer.roots.next!
  expect(await walk('Sign')).toEqual({ phase: 'Replacing', roots: 2 })
  expect(signer.roots.current).toBe(second)
  expect(JSON.stringify(signer.roots)).not.toContain(JSON.stringify(first.key).slice(1, -1))
  expect(signer.replacedAt).toEqual(now)
  expect(await walk('Drop')).toEqual({ phase: 'Steady', roots: 1 })
  expect(signer.roots).toEqual({ current: second })
})
