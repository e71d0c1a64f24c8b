import { createPublicKey } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeKeys, makeRequest, type RequestOptions } from './certificate-request.fixture.ts'
import { checkUsages, keyId, readCertificateRequest, requestedKeyId } from './certificate-request.ts'
import { SigningRefusal } from './refusal.ts'
import { x509 } from './x509.ts'

test.each(['P-256', 'P-384', 'P-521'])('a request with a key on %s', async (namedCurve) => {
  const algorithm = { name: 'ECDSA', namedCurve, hash: 'SHA-256' } as const
  const keys = await makeKeys(algorithm)
  const pem = await makeRequest('node1.example.org', { algorithm, keys })
  const spki = Buffer.from(await crypto.subtle.exportKey('spki', keys.publicKey))
  expect(await readCertificateRequest(pem)).toEqual({ name: 'node1.example.org', publicKey: spki })
  expect(createPublicKey({ key: spki, format: 'der', type: 'spki' }).asymmetricKeyType).toBe('ec')
  expect(requestedKeyId(pem)).toBe(keyId(spki))
})

test.each([64, 65, 253])('a name of %i characters', async (length) => {
  const name = 'a.'.repeat(127).slice(0, length).replace(/[.]$/, 'a')
  expect(await readCertificateRequest(await makeRequest(name))).toMatchObject({ name })
})

const rsa = {
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: 'SHA-256',
} as const
const dns = (value: string) => ({ type: 'dns', value }) as const
const long = `${'a'.repeat(63)}.`.repeat(4)

describe('refused', () => {
  test.each<[string, string, string, RequestOptions]>([
    ['no name', 'NameRefused', 'n', { names: [] }],
    ['two names', 'NameRefused', 'n', { names: [dns('n'), dns('m')] }],
    ['the same name twice', 'NameRefused', 'n', { names: [dns('n'), dns('n')] }],
    ['another name than the subject', 'NameRefused', 'n', { names: [dns('m')] }],
    ['an address', 'NameRefused', 'n', { names: [dns('n'), { type: 'ip', value: '10.0.0.1' }] }],
    ['only an address', 'NameRefused', 'n', { names: [{ type: 'ip', value: '10.0.0.1' }] }],
    ['a URI', 'NameRefused', 'n', { names: [dns('n'), { type: 'url', value: 'spiffe://n' }] }],
    ['an e-mail address', 'NameRefused', 'n', { names: [dns('n'), { type: 'email', value: 'a@n' }] }],
    ['an organisation', 'NameRefused', 'n', { subject: 'CN=n, O=system:masters' }],
    ['two common names', 'NameRefused', 'n', { subject: 'CN=n, CN=m' }],
    ['two common names in one part', 'NameRefused', 'n', { subject: 'CN=n+CN=m' }],
    ['an organisation in one part', 'NameRefused', 'n', { subject: 'CN=n+O=system:masters' }],
    ['no subject', 'NameRefused', 'n', { subject: '' }],
    ['a subject that is too long', 'NameRefused', `${'a.'.repeat(40)}a`, { subject: `CN=${'a.'.repeat(40)}a` }],
    ['a wildcard', 'NameRefused', '*.example.org', {}],
    ['capitals', 'NameRefused', 'Node1', {}],
    ['a name of 256 characters', 'NameRefused', long, {}],
    ['a label of 64 characters', 'NameRefused', 'a'.repeat(64), {}],
    ["the operator's own name", 'NameRefused', 'control.keelson.dev', {}],
    ['its other name', 'NameRefused', 'request.keelson.dev', {}],
    ['the right to sign', 'NameRefused', 'n', { extensions: [new x509.BasicConstraintsExtension(true)] }],
    [
      'a second extension of names',
      'NameRefused',
      'n',
      { extensions: [new x509.SubjectAlternativeNameExtension([dns('m')])] },
    ],
    [
      'the right to be a client',
      'NameRefused',
      'n',
      { extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])] },
    ],
    ['a challenge password', 'NameRefused', 'n', { attributes: [new x509.ChallengePasswordAttribute('x')] }],
    ['an RSA key', 'KeyRefused', 'n', { algorithm: rsa }],
    ['an Ed25519 key', 'KeyRefused', 'n', { algorithm: { name: 'Ed25519' } }],
  ])('%s', async (_case, code, name, options) => {
    await expect(readCertificateRequest(await makeRequest(name, options))).rejects.toMatchObject({ code })
  })

  test('a key that did not sign the request', async () => {
    const [mine, theirs] = [await makeKeys(), await makeKeys()]
    const keys = { privateKey: mine.privateKey, publicKey: theirs.publicKey }
    await expect(readCertificateRequest(await makeRequest('n', { keys }))).rejects.toMatchObject({
      code: 'RequestMalformed',
      message: 'the request is not signed by its own key',
    })
  })

  test('two requests, another kind of PEM, what is too long', async () => {
    const pem = await makeRequest('n')
    const others = ['', 'x', pem + pem, pem.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE'), pem + '\n'.repeat(9_000)]
    for (const other of others)
      await expect(readCertificateRequest(other)).rejects.toMatchObject({ code: 'RequestMalformed' })
  })

  test('whatever bytes somebody changes: the same request, or a refusal', async () => {
    const pem = await makeRequest('node1')
    const original = await readCertificateRequest(pem)
    const der = Buffer.from(x509.PemConverter.decodeFirst(pem))
    const change = fc.record({
      at: fc.nat(der.length - 1),
      byte: fc.nat(255),
      length: fc.oneof(fc.constant(der.length), fc.integer({ min: 1, max: der.length })),
    })
    await fc.assert(
      fc.asyncProperty(change, async ({ at, byte, length }) => {
        const copy = Buffer.from(der.subarray(0, length))
        if (at < length) copy[at] = byte
        const read = readCertificateRequest(x509.PemConverter.encode(copy, 'CERTIFICATE REQUEST'))
        const result = await read.catch((error: unknown) => error)
        expect(result instanceof SigningRefusal ? original : result).toEqual(original)
      }),
      { numRuns: 500 },
    )
  })
})

test.each([
  [['digital signature', 'server auth'], undefined],
  [['server auth', 'digital signature'], undefined],
  [['digital signature', 'server auth', 'client auth'], 'UsagesRefused'],
  [['digital signature', 'client auth'], 'UsagesRefused'],
  [['server auth'], 'UsagesRefused'],
  [['digital signature', 'key encipherment', 'server auth'], 'UsagesRefused'],
  [['digital signature', 'digital signature', 'server auth'], 'UsagesRefused'],
  [undefined, 'UsagesRefused'],
])('usages %j', async (usages, code) => {
  const check = async () => checkUsages({ request: '', signerName: '', usages })
  const refusal: unknown = await check().catch((error: unknown) => error)
  expect((refusal as SigningRefusal | undefined)?.code).toBe(code)
})
