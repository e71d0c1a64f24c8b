import { X509Certificate } from 'node:crypto'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import type { ConnectionOptions } from 'node:tls'
import { beforeAll, beforeEach, afterEach, describe, expect, test } from 'vitest'
import { createPki, hostName, RunningAgent, type Answer, type Pki } from '../agent.fixture.ts'
import { clientNames } from '../client-identity.ts'
import { SigningRoot, type Issued } from './signing-root.fixture.ts'
import { trustPaths } from './tls-material.ts'

const files = {
  '/proc/sys/kernel/hostname': 'node1\n',
  '/proc/sys/kernel/osrelease': '6.1.0\n',
  '/proc/sys/kernel/random/boot_id': 'b\n',
}
const hour = 3_600_000
const own = { dnsNames: [hostName] }

/** The root as the test world's authority is one: it issues what the fixture asks for. */
class Root {
  readonly signing: SigningRoot

  constructor(signing: SigningRoot) {
    this.signing = signing
  }

  get certificate(): string {
    return this.signing.certificate
  }

  async issue(request: { readonly dnsNames: readonly string[]; readonly usages: readonly ('server' | 'client')[] }) {
    const usages = request.usages.map((usage) => `${usage}Auth` as const)
    return this.signing.issue({ dnsNames: request.dnsNames, usages })
  }
}

let pki: Pki<Root>
let [first, second]: SigningRoot[] = []
let [control, controlOfSecond]: ConnectionOptions[] = []
beforeAll(async () => {
  // As after a rotation: two roots of one name.
  first = await SigningRoot.create('keelson agents')
  second = await SigningRoot.create('keelson agents')
  pki = await createPki(new Root(first))
  control = { cert: pki.control.certificate, key: pki.control.key }
  const later = await second.issue({ dnsNames: [clientNames.control], usages: ['clientAuth'] })
  controlOfSecond = { cert: later.certificate, key: later.key, ca: [first.certificate, second.certificate] }
})

let agent: RunningAgent
beforeEach(async () => {
  agent = await RunningAgent.start(pki, { files })
})
afterEach(async () => agent[Symbol.asyncDispose]())

async function requestOf(): Promise<string> {
  const { status, body } = await agent.post('trust/csr', {}, { tls: control! })
  expect(status).toBe(200)
  return (body as { readonly certificateRequest: string }).certificateRequest
}

async function put(body: object, tls = control!): Promise<Answer> {
  return agent.post('trust', body, { method: 'PUT', tls })
}

/** What a new connection is shown. */
async function shown(ca: string | string[] = first!.certificate): Promise<string> {
  const socket = await agent.connect({ ca })
  const { serialNumber } = socket.getPeerX509Certificate()!
  socket.destroy()
  return serialNumber
}

const serial = (certificate: string): string => new X509Certificate(certificate).serialNumber
const paths = () => trustPaths(agent.config.state)

describe('a renewal', () => {
  test('by the same root: new connections see it, those that are open stay, and a restart keeps it', async () => {
    const before = await agent.connect()
    const request = await requestOf()
    expect(await shown()).toBe(serial(pki.agent.certificate))
    const certificate = await first!.sign(request, own)
    const { validToDate } = new X509Certificate(certificate)
    expect(await put({ certificate, bundle: first!.certificate })).toMatchObject({
      status: 200,
      body: { serialNumber: serial(certificate), notAfter: validToDate.toISOString() },
    })
    expect(await shown()).toBe(serial(certificate))
    before.write('GET /v1/facts HTTP/1.1\r\n\r\n')
    const [answer] = (await before.take(1).toArray()) as Buffer[]
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200/)
    expect(await agent.call({ path: '/v1/facts' })).toMatchObject({ status: 200 })
    await agent.restart()
    expect(await shown()).toBe(serial(certificate))
    expect(await agent.call({ path: '/v1/facts' })).toMatchObject({ status: 200 })
  })

  test('keeps the new key from everyone else, and no key that is not needed', async () => {
    const request = await requestOf()
    const mode = async (path: string) => (await stat(path)).mode & 0o7777
    expect(await mode(paths().pendingKey)).toBe(0o600)
    await put({ certificate: await first!.sign(request, own), bundle: first!.certificate })
    expect(await mode(paths().identity)).toBe(0o600)
    expect(await readdir(`${agent.config.state}/trust`)).toEqual(['identity.json'])
    const { key } = JSON.parse(await readFile(paths().identity, 'utf8')) as { readonly key: string }
    expect(JSON.stringify(agent.log)).not.toContain(key.split('\n')[1])
  })

  test('goes on over a restart between request and certificate', async () => {
    const request = await requestOf()
    await agent.restart()
    const certificate = await first!.sign(request, own)
    expect(await put({ certificate, bundle: first!.certificate })).toMatchObject({ status: 200 })
    expect(await shown()).toBe(serial(certificate))
  })

  test('delivered again is taken again', async () => {
    const body = { certificate: await first!.sign(await requestOf(), own), bundle: first!.certificate }
    expect(await put(body)).toMatchObject({ status: 200 })
    expect(await put(body)).toMatchObject({ status: 200 })
    expect(await shown()).toBe(serial(body.certificate))
  })

  test('still speaks TLS 1.3 only, and resumes no session of before', async () => {
    const sessionOf = async () => {
      const sessions: Buffer[] = []
      const socket = await agent.connect()
      socket.on('session', (session) => sessions.push(session))
      socket.write('GET /v1/facts HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
      await socket.toArray()
      return sessions.at(-1)!
    }
    const isResumed = async (session: Buffer) => {
      const next = await agent.connect({ session })
      const resumed = next.isSessionReused()
      next.destroy()
      return resumed
    }
    const before = await sessionOf()
    expect(await isResumed(before)).toBe(true)
    await put({ certificate: await first!.sign(await requestOf(), own), bundle: first!.certificate })
    await expect(agent.connect({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })).rejects.toThrow(/alert/)
    expect(await isResumed(before)).toBe(false)
    expect(await isResumed(await sessionOf())).toBe(true)
  })

  test('gives way to a new enrolment', async () => {
    await put({ certificate: await first!.sign(await requestOf(), own), bundle: first!.certificate })
    const again = await first!.issue(own)
    await writeFile(`${agent.config.tls}/tls.crt`, again.certificate)
    await writeFile(`${agent.config.tls}/tls.key`, again.key)
    await agent.restart()
    expect(await shown()).toBe(serial(again.certificate))
  })
})

test('roots are rotated: both are let in, then the new one alone', async () => {
  const both = `${first!.certificate}${second!.certificate}`
  await expect(agent.call({ path: '/v1/facts', tls: controlOfSecond! })).rejects.toThrow(/alert|ECONNRESET|hang up/)
  expect(await put({ certificate: pki.agent.certificate, bundle: both })).toMatchObject({ status: 200 })
  expect(await agent.call({ path: '/v1/facts', tls: controlOfSecond! })).toMatchObject({ status: 200 })
  expect(await agent.call({ path: '/v1/facts' })).toMatchObject({ status: 200 })

  const certificate = await second!.sign(await requestOf(), own)
  expect(await put({ certificate, bundle: both })).toMatchObject({ status: 200 })
  const ca = second!.certificate
  expect(await agent.call({ path: '/v1/facts', tls: { ca } })).toMatchObject({ status: 200 })

  const refused = await put({ certificate, bundle: ca }, { ...control!, ca })
  expect(refused).toMatchObject({ status: 422, body: { code: 'WouldLockOut', field: 'bundle' } })
  expect(await put({ certificate, bundle: ca }, controlOfSecond)).toMatchObject({ status: 200 })
  await expect(agent.call({ path: '/v1/facts', tls: { ca } })).rejects.toThrow(/alert|ECONNRESET|hang up/)
  await agent.restart()
  expect(await agent.call({ path: '/v1/facts', tls: controlOfSecond! })).toMatchObject({ status: 200 })
  await expect(agent.call({ path: '/v1/facts', tls: { ca } })).rejects.toThrow(/alert|ECONNRESET|hang up/)
})

describe('refused, and nothing is changed:', () => {
  const signed = (issued: Issued) => async (request: string) => first!.sign(request, issued)

  test.each([
    ['no certificate', async () => ({ certificate: undefined }), 'ParameterMissing', 'certificate'],
    ['no bundle', async () => ({ bundle: undefined }), 'ParameterMissing', 'bundle'],
    ['something else', async () => ({ key: 'x' }), 'ParameterUnknown', 'key'],
    ['no PEM', async () => ({ certificate: 'x' }), 'Malformed', 'certificate'],
    ['PEM of nothing', async () => ({ certificate: pem('AAAA') }), 'Malformed', 'certificate'],
    ['two certificates', async (c: string) => ({ certificate: `${c}${c}` }), 'Malformed', 'certificate'],
    ['words beside it', async (c: string) => ({ certificate: `x\n${c}` }), 'Malformed', 'certificate'],
    ['an empty bundle', async () => ({ bundle: '' }), 'Malformed', 'bundle'],
    ['a bundle of three', async () => ({ bundle: first!.certificate.repeat(3) }), 'Malformed', 'bundle'],
    ['half a bundle', async () => ({ bundle: `${first!.certificate}${pem('AAAA')}` }), 'Malformed', 'bundle'],
    ['a bundle of another root', async () => ({ bundle: second!.certificate }), 'IssuerUnknown', 'certificate'],
    ['a bundle without a root', async () => ({ bundle: pki.agent.certificate }), 'RootRefused', 'bundle'],
    [
      'a root that is no authority',
      async () => ({ bundle: (await SigningRoot.create('x', { isAuthority: false })).certificate }),
      'RootRefused',
      'bundle',
    ],
    [
      'a root that has expired',
      async () => {
        const expired = { notBefore: new Date(Date.now() - 2 * hour), notAfter: new Date(Date.now() - hour) }
        return { bundle: `${first!.certificate}${(await SigningRoot.create('x', expired)).certificate}` }
      },
      'Expired',
      'bundle',
    ],
  ])('%s', async (_case, change, code, field) => {
    const request = await requestOf()
    const good = { certificate: await first!.sign(request, own), bundle: first!.certificate }
    const answer = await put({ ...good, ...(await change(good.certificate)) })
    expect(answer).toMatchObject({ status: 422, body: { code, field } })
    expect(await shown()).toBe(serial(pki.agent.certificate))
    expect(await put(good)).toMatchObject({ status: 200 })
  })

  test.each([
    ['of another name', signed({ dnsNames: ['node2'] }), 'NameMismatch'],
    ['of another name beside its own', signed({ dnsNames: [hostName, 'node2'] }), 'NameMismatch'],
    ['of an address beside its name', signed({ ...own, addresses: ['127.0.0.1'] }), 'NameMismatch'],
    ['of a wildcard', signed({ dnsNames: ['*'] }), 'NameMismatch'],
    ['of no name', signed({}), 'NameMismatch'],
    ['for clients', signed({ ...own, usages: ['clientAuth'] }), 'UsageMismatch'],
    ['for authorities', signed({ ...own, isAuthority: true }), 'UsageMismatch'],
    ['that is not valid yet', signed({ ...own, notBefore: new Date(Date.now() + hour) }), 'NotYetValid'],
    [
      'that has expired',
      signed({ ...own, notBefore: new Date(Date.now() - 2 * hour), notAfter: new Date(Date.now() - hour) }),
      'Expired',
    ],
    ['of another root of the same name', async (request: string) => second!.sign(request, own), 'IssuerUnknown'],
    [
      'of another root that poses as ours',
      async (request: string) => second!.sign(request, { ...own, posingAs: first! }),
      'IssuerUnknown',
    ],
    ['for another key', async () => (await first!.issue(own)).certificate, 'KeyMismatch'],
  ])('a certificate %s', async (_case, make, code) => {
    const certificate = await make(await requestOf())
    const answer = await put({ certificate, bundle: first!.certificate })
    expect(answer).toMatchObject({ status: 422, body: { code, field: 'certificate' } })
    expect(await shown()).toBe(serial(pki.agent.certificate))
    await agent.restart()
    expect(await shown()).toBe(serial(pki.agent.certificate))
  })

  test('a certificate for a request before the last', async () => {
    const certificate = await first!.sign(await requestOf(), own)
    await requestOf()
    const answer = await put({ certificate, bundle: first!.certificate })
    expect(answer).toMatchObject({ status: 422, body: { code: 'KeyMismatch', field: 'certificate' } })
  })

  test('parameters in a signing request', async () => {
    const answer = await agent.post('trust/csr', { name: 'node2' }, { tls: control! })
    expect(answer).toMatchObject({ status: 422, body: { code: 'ParameterUnknown', field: 'name' } })
  })
})

function pem(content: string): string {
  return `-----BEGIN CERTIFICATE-----\n${content}\n-----END CERTIFICATE-----\n`
}
