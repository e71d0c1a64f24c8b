import 'reflect-metadata'
import { X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { expect, test } from 'vitest'
import { admitClient, clientName } from './client-identity.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

async function certificate(...usages: string[]): Promise<X509Certificate> {
  x509.cryptoProvider.set(globalThis.crypto)
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=operator',
    keys: await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: clientName }]),
      ...(usages.length > 0 ? [new x509.ExtendedKeyUsageExtension(usages)] : []),
    ],
  })
  return new X509Certificate(made.toString('pem'))
}

test('a certificate for clients is admitted', async () => {
  const client = await certificate(x509.ExtendedKeyUsage.clientAuth)
  expect(() => admitClient(client)).not.toThrow()
})

test('a certificate that does not say what it is for is refused, although OpenSSL takes it', async () => {
  const any = await certificate()
  expect(() => admitClient(any)).toThrow(expect.objectContaining({ status: 403, code: 'ClientRefused' }))
})

test('no certificate is refused', () => {
  expect(() => admitClient(undefined)).toThrow(expect.objectContaining({ status: 403, code: 'ClientRefused' }))
})
