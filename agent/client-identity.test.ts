import 'reflect-metadata'
import { X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { expect, test } from 'vitest'
import { admitClient, clientNames } from './client-identity.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const refused = expect.objectContaining({ status: 403, code: 'ClientRefused' }) as Error

async function certificate(names: readonly string[], ...usages: string[]): Promise<X509Certificate> {
  x509.cryptoProvider.set(globalThis.crypto)
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=operator',
    keys: await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
      ...(usages.length > 0 ? [new x509.ExtendedKeyUsageExtension(usages)] : []),
    ],
  })
  return new X509Certificate(made.toString('pem'))
}

const now = Date.now()

test.each(['request', 'control'] as const)('a certificate for the client %s is admitted as that', async (identity) => {
  const client = await certificate([clientNames[identity]], x509.ExtendedKeyUsage.clientAuth)
  expect(admitClient(client, now)).toEqual({ identity, certificate: client })
})

test('a certificate that does not say what it is for is refused, although OpenSSL takes it', async () => {
  const any = await certificate([clientNames.request])
  expect(() => admitClient(any, now)).toThrow(refused)
})

test('a certificate with both names is refused', async () => {
  const both = await certificate(Object.values(clientNames), x509.ExtendedKeyUsage.clientAuth)
  expect(() => admitClient(both, now)).toThrow(refused)
})

test('no certificate is refused', () => {
  expect(() => admitClient(undefined, now)).toThrow(refused)
})
