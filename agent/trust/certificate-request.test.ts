import 'reflect-metadata'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import * as fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { certificateRequest } from './certificate-request.ts'

beforeAll(() => x509.cryptoProvider.set(globalThis.crypto))

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

async function read(
  name: string,
): Promise<{ readonly subject: string; readonly names: unknown; readonly holds: boolean }> {
  const request = new x509.Pkcs10CertificateRequest(certificateRequest(name, privateKey))
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  expect(Buffer.from(request.publicKey.rawData)).toEqual(spki)
  const names = request.extensions.map((extension) =>
    extension instanceof x509.SubjectAlternativeNameExtension ? extension.names.toJSON() : extension.type,
  )
  return { subject: request.subject, names, holds: await request.verify() }
}

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/)
const hostName = fc
  .array(label, { minLength: 1, maxLength: 12 })
  .map((labels) => labels.join('.'))
  .filter((name) => name.length <= 253)

test('says the name, as common name and as DNS name, and proves its key', async () => {
  await fc.assert(
    fc.asyncProperty(hostName, async (name) => {
      const subject = name.length <= 64 ? `CN=${name}` : ''
      expect(await read(name)).toEqual({ subject, names: [[{ type: 'dns', value: name }]], holds: true })
    }),
  )
})

test.each([1, 63, 64, 65, 127, 128, 200, 253])('with a name of %i characters', async (length) => {
  const name = 'n'.repeat(length)
  expect(await read(name)).toEqual({
    subject: length <= 64 ? `CN=${name}` : '',
    names: [[{ type: 'dns', value: name }]],
    holds: true,
  })
})
