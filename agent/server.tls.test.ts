import { once } from 'node:events'
import { Agent } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { CertificateAuthority, eventually } from '@keelson/testbed'
import { beforeAll, describe, expect, test } from 'vitest'
import { createPki, hostName, RunningAgent, type Pki } from './agent.fixture.ts'
import { clientNames } from './client-identity.ts'

const facts = {
  '/proc/sys/kernel/hostname': 'node1\n',
  '/proc/sys/kernel/osrelease': '6.1.0\n',
  '/proc/sys/kernel/random/boot_id': 'b\n',
}
const hour = 3_600_000
const past = { notBefore: new Date(Date.now() - 2 * hour), notAfter: new Date(Date.now() - hour) }
const future = { notBefore: new Date(Date.now() + hour) }

let pki: Pki<CertificateAuthority>
let issuers: Readonly<Record<'our' | 'another', CertificateAuthority>>
beforeAll(async () => {
  pki = await createPki(await CertificateAuthority.create('keelson'))
  issuers = { our: pki.authority, another: await CertificateAuthority.create('another') }
})

/** What a client sees of a server that breaks off: in TLS 1.3 only after its own part of the handshake. */
const brokenOff = /alert|ECONNRESET|socket hang up|EPIPE|before secure TLS connection/

test('the operator is admitted', async () => {
  await using agent = await RunningAgent.start(pki, { files: facts })
  expect(await agent.call({ path: '/v1/facts' })).toMatchObject({ status: 200, body: { hostname: 'node1' } })
})

const clientName = clientNames.request
const operator = { subject: 'CN=operator', dnsNames: [clientName], usages: ['client'] } as const

describe('the agent refuses in the handshake', () => {
  test('no client certificate', async () => {
    await using agent = await RunningAgent.start(pki, { files: facts })
    const tls = { cert: undefined, key: undefined }
    await expect(agent.call({ path: '/v1/facts', tls })).rejects.toThrow(brokenOff)
    await eventually('refusal in the log', () => agent.log.length > 0)
    const reason = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'
    expect(agent.log).toEqual([expect.objectContaining({ msg: 'handshake refused', reason })])
  })

  test.each([
    ['a client certificate of another authority', 'another', operator, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['an expired client certificate', 'our', { ...operator, ...past }, 'CERT_HAS_EXPIRED'],
    ['a client certificate that is not valid yet', 'our', { ...operator, ...future }, 'CERT_NOT_YET_VALID'],
    ['a client certificate with the usage of a server', 'our', { ...operator, usages: ['server'] }, 'INVALID_PURPOSE'],
    [
      'the certificate of another host',
      'our',
      { subject: 'CN=node2', dnsNames: ['node2'], usages: ['server'] },
      'INVALID_PURPOSE',
    ],
  ] as const)('%s', async (_case, issuer, request, reason) => {
    const client = await issuers[issuer].issue(request)
    await using agent = await RunningAgent.start(pki, { files: facts })
    const tls = { cert: client.certificate, key: client.key }
    await expect(agent.call({ path: '/v1/facts', tls })).rejects.toThrow(brokenOff)
    await eventually('refusal in the log', () => agent.log.length > 0)
    expect(agent.log).toEqual([expect.objectContaining({ msg: 'handshake refused', reason })])
  })

  test('a client that speaks TLS 1.2 at most', async () => {
    await using agent = await RunningAgent.start(pki)
    const tls = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const
    await expect(agent.call({ path: '/v1/facts', tls })).rejects.toThrow(/protocol version/)
  })

  test('a client that speaks no TLS', async () => {
    await using agent = await RunningAgent.start(pki)
    const socket = connectPlain(agent.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write('GET /v1/facts HTTP/1.1\r\nhost: x\r\n\r\n')
    const received: Buffer[] = []
    socket.on('data', (chunk) => received.push(chunk))
    await once(socket, 'close')
    expect(Buffer.concat(received).toString('latin1')).not.toContain('HTTP')
  })
})

describe('the agent answers 403 to a client of our authority', () => {
  test.each([
    ['with another name', { subject: 'CN=operator', dnsNames: ['console.keelson.dev'] }],
    ['with both names', { subject: 'CN=operator', dnsNames: Object.values(clientNames) }],
    ['with the name in its subject only', { subject: `CN=${clientName}` }],
    ['with the name in its subject and another as DNS name', { subject: `CN=${clientName}`, dnsNames: ['node2'] }],
    ['with a wildcard', { subject: 'CN=operator', dnsNames: ['*.keelson.dev'] }],
    ['with a name that only ends alike', { subject: 'CN=operator', dnsNames: [`x${clientName}`] }],
    ['with an address only', { subject: 'CN=operator', addresses: ['127.0.0.1'] }],
  ])('%s', async (_case, request) => {
    const client = await pki.authority.issue({ ...request, usages: ['client'] })
    await using agent = await RunningAgent.start(pki, { files: facts })
    const tls = { cert: client.certificate, key: client.key }
    const answer = await agent.call({ path: '/v1/facts', tls })
    expect(answer).toMatchObject({ status: 403, body: { code: 'ClientRefused' }, headers: { connection: 'close' } })
  })

  test('before it looks at anything else', async () => {
    const client = await pki.authority.issue({ subject: 'CN=x', dnsNames: ['x'], usages: ['client'] })
    await using agent = await RunningAgent.start(pki)
    const tls = { cert: client.certificate, key: client.key }
    expect(await agent.call({ method: 'POST', path: '/nope', body: '{', tls })).toMatchObject({ status: 403 })
  })
})

const host = { subject: `CN=${hostName}`, dnsNames: [hostName], usages: ['server'] } as const

describe('a client that verifies as the operator does refuses', () => {
  test.each([
    [
      'the certificate of another host',
      'our',
      { ...host, subject: 'CN=node2', dnsNames: ['node2'] },
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
    ['a certificate of another authority', 'another', host, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['an expired certificate', 'our', { ...host, ...past }, 'CERT_HAS_EXPIRED'],
    ['a certificate with the usage of a client', 'our', { ...host, usages: ['client'] }, 'INVALID_PURPOSE'],
  ] as const)('%s', async (_case, issuer, request, code) => {
    const certificate = await issuers[issuer].issue(request)
    await using agent = await RunningAgent.start(pki, { certificate, files: facts })
    await expect(agent.call({ path: '/v1/facts' })).rejects.toMatchObject({ code })
    expect(agent.log.filter((line) => line['msg'] === 'request')).toEqual([])
  })
})

describe('a session', () => {
  async function sessionOf(agent: RunningAgent): Promise<Buffer> {
    const sessions: Buffer[] = []
    const socket = await agent.connect()
    socket.on('session', (session) => sessions.push(session))
    socket.write('GET /v1/facts HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    socket.resume()
    await once(socket, 'close')
    return sessions.at(-1)!
  }

  test('is resumed: the operator need not prove itself by its certificate for each request', async () => {
    await using agent = await RunningAgent.start(pki, { files: facts })
    const session = await sessionOf(agent)
    const next = await agent.connect({ session })
    expect(next.isSessionReused()).toBe(true)
    next.destroy()
    expect(await agent.call({ path: '/v1/facts', tls: { session } })).toMatchObject({ status: 200 })
  })

  test('of a certificate that has expired is of no use, nor is a connection', async () => {
    let now = Date.now()
    await using agent = await RunningAgent.start(pki, { files: facts, now: () => now })
    const session = await sessionOf(agent)
    const kept = new Agent({ keepAlive: true, maxSockets: 1 })
    expect(await agent.call({ path: '/v1/facts', agent: kept })).toMatchObject({ status: 200 })
    now += 48 * hour
    const refused = { status: 403, body: { code: 'ClientRefused', message: 'the client certificate has expired' } }
    expect(await agent.call({ path: '/v1/facts', tls: { session } })).toMatchObject(refused)
    expect(await agent.call({ path: '/v1/facts', agent: kept })).toMatchObject(refused)
    kept.destroy()
  })

  test('of a client that is not admitted stays one', async () => {
    const client = await pki.authority.issue({ subject: 'CN=x', dnsNames: ['x'], usages: ['client'] })
    await using agent = await RunningAgent.start(pki, { files: facts })
    const session = await sessionOf(agent)
    const tls = { session, cert: client.certificate, key: client.key }
    // The session is the operator's, whatever certificate its thief has: it is as good as the operator's key, and stays in its memory.
    expect(await agent.call({ path: '/v1/facts', tls })).toMatchObject({ status: 200 })
    const other = await agent.connect({ cert: client.certificate, key: client.key })
    const offered = once(other, 'session') as Promise<[Buffer]>
    other.resume()
    const [theirs] = await offered
    other.destroy()
    expect(await agent.call({ path: '/v1/facts', tls: { session: theirs } })).toMatchObject({ status: 403 })
  })
})
