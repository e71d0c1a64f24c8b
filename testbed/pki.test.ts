import { createPublicKey, sign, verify, X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { CertificateAuthority, generateKeys, privateKeyPem, publicKeyPem } from './pki.ts'

const oids = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' }
const hour = 3_600_000

let authority: CertificateAuthority
let root: X509Certificate
beforeAll(async () => {
  authority = await CertificateAuthority.create('test authority')
  root = new X509Certificate(authority.certificate)
})

test('an authority is one, by its own word', () => {
  expect(root.ca).toBe(true)
  expect(root.subject).toBe('CN=test authority')
  expect(root.verify(root.publicKey)).toBe(true)
})

test('one that was made elsewhere issues as it does there', async () => {
  const { certificate, key } = await authority.issue({ subject: 'CN=elsewhere', usages: [] })
  const taken = await CertificateAuthority.of({ certificate, key })
  expect(taken.name).toBe('elsewhere')
  const issued = new X509Certificate((await taken.issue({ subject: 'CN=x', usages: ['server'] })).certificate)
  const issuer = new X509Certificate(certificate)
  expect(issued.issuer).toBe('CN=elsewhere')
  expect(issued.verify(issuer.publicKey)).toBe(true)
})

describe('a certificate', () => {
  test('holds the names, addresses and usages that were asked for and belongs to its key', async () => {
    const { certificate, key } = await authority.issue({
      subject: 'CN=worker-1,O=nodes',
      dnsNames: ['worker-1', 'localhost'],
      addresses: ['10.88.0.21', '::1'],
      usages: ['server', 'client'],
    })
    const found = new X509Certificate(certificate)
    expect(found.subject).toBe('CN=worker-1\nO=nodes')
    expect(found.subjectAltName).toBe('DNS:worker-1, DNS:localhost, IP Address:10.88.0.21, IP Address:0:0:0:0:0:0:0:1')
    expect(found.keyUsage).toEqual([oids.server, oids.client])
    expect(found.ca).toBe(false)
    const data = Buffer.from('data')
    expect(verify('sha256', data, found.publicKey, sign('sha256', data, key))).toBe(true)
  })

  test('has only the usage that was asked for, and no names if none were', async () => {
    const { certificate } = await authority.issue({ subject: 'CN=someone', usages: ['client'] })
    const found = new X509Certificate(certificate)
    expect(found.keyUsage).toEqual([oids.client])
    expect(found.subjectAltName).toBeUndefined()
  })

  test('is of its authority, and not of another of the same name', async () => {
    const other = new X509Certificate((await CertificateAuthority.create('test authority')).certificate)
    const { certificate } = await authority.issue({ subject: 'CN=someone', usages: ['client'] })
    const found = new X509Certificate(certificate)
    expect(found.checkIssued(root)).toBe(true)
    expect(found.verify(root.publicKey)).toBe(true)
    expect(found.checkIssued(other)).toBe(false)
    expect(found.verify(other.publicKey)).toBe(false)
  })

  test('is valid since an hour ago and until tomorrow, or as told', async () => {
    const now = Date.now()
    const usual = new X509Certificate(
      (await authority.issue({ subject: 'CN=someone', usages: ['client'] })).certificate,
    )
    expect(Math.abs(usual.validFromDate.getTime() - (now - hour))).toBeLessThan(60_000)
    expect(Math.abs(usual.validToDate.getTime() - (now + 24 * hour))).toBeLessThan(60_000)
    expect(root.validFromDate.getTime()).toBeLessThan(now - hour + 60_000)

    const [notBefore, notAfter] = [new Date('2020-01-01T00:00:00Z'), new Date('2020-01-02T00:00:00Z')]
    const past = await authority.issue({ subject: 'CN=someone', usages: ['client'], notBefore, notAfter })
    const { validFromDate, validToDate } = new X509Certificate(past.certificate)
    expect([validFromDate, validToDate]).toEqual([notBefore, notAfter])
  })
})

test('the PEM of a key is a pair: what one half signs, the other verifies', async () => {
  const keys = await generateKeys()
  const data = Buffer.from('token')
  const signature = sign('sha256', data, await privateKeyPem(keys))
  expect(verify('sha256', data, createPublicKey(await publicKeyPem(keys)), signature)).toBe(true)
})
