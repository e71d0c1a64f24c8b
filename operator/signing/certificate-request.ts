import { createHash, createPublicKey } from 'node:crypto'
import { agentSigner, operatorIdentities } from '@keelson/api'
import type { CertificateSigningRequest } from '@keelson/kube'
import { SigningRefusal } from './refusal.ts'
import { maxCommonName } from './root.ts'
import { x509 } from './x509.ts'

/** What an agent's request asks for, once it is known to ask for nothing else. */
export type RequestedCertificate = {
  /** Name of the Host. */
  readonly name: string
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer
}

const subjectAlternativeName = '2.5.29.17'
const extensionRequest = '1.2.840.113549.1.9.14'
const curves = new Set(['prime256v1', 'secp384r1', 'secp521r1'])
/** A request with one name and a P-521 key has less than 2 KiB. */
const maxPemLength = 8_192
const onePem = /^\s*-----BEGIN CERTIFICATE REQUEST-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE REQUEST-----\s*$/

const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
const hostName = new RegExp(`^(?=.{1,253}$)${label}([.]${label})*$`)
const reservedNames = new Set<string>(Object.values(operatorIdentities))

/**
 * Reads a PKCS #10 request (PEM) for an agent's certificate: signed by its own key, P-256 or better; the only DNS name is a Host's, the subject
 * is that name as CN (nothing where it is too long for one), and nothing more is asked for.
 *
 * @throws SigningRefusal
 */
export async function readCertificateRequest(pem: string): Promise<RequestedCertificate> {
  try {
    const request = parse(pem)
    const publicKey = keyOf(request)
    // A request that is not could bind somebody else's key to the name.
    if (!(await request.verify()))
      throw new SigningRefusal('RequestMalformed', 'the request is not signed by its own key')
    return { name: nameOf(request), publicKey }
  } catch (error) {
    if (error instanceof SigningRefusal) throw error
    // The parser looks at some parts only when they are asked for; what is wrong with the bytes helps nobody.
    throw malformed()
  }
}

/** SHA-256 in hex of the key in a request, whatever else is in it; undefined where there is none. */
export function requestedKeyId(pem: string): string | undefined {
  try {
    return keyId(Buffer.from(parse(pem).publicKey.rawData))
  } catch {
    return undefined
  }
}

export function keyId(publicKey: Buffer): string {
  return createHash('sha256').update(publicKey).digest('hex')
}

/** The PEM in a CertificateSigningRequest. */
export function pemOf({ spec }: CertificateSigningRequest): string {
  return Buffer.from(spec.request, 'base64').toString('latin1')
}

/** @throws SigningRefusal unless exactly what a TLS server needs is asked for */
export function checkUsages({ usages = [] }: CertificateSigningRequest['spec']): void {
  if (usages.toSorted().join() === 'digital signature,server auth') return
  throw new SigningRefusal(
    'UsagesRefused',
    `${agentSigner} signs for the usages "digital signature" and "server auth", these two and no others`,
  )
}

function parse(pem: string): x509.Pkcs10CertificateRequest {
  if (pem.length > maxPemLength || !onePem.test(pem)) throw malformed()
  return new x509.Pkcs10CertificateRequest(pem)
}

function malformed(): SigningRefusal {
  return new SigningRefusal('RequestMalformed', 'spec.request is not one PKCS #10 request in PEM of at most 8 KiB')
}

function keyOf(request: x509.Pkcs10CertificateRequest): Buffer {
  const publicKey = Buffer.from(request.publicKey.rawData)
  let curve: string | undefined
  try {
    curve = createPublicKey({ key: publicKey, format: 'der', type: 'spki' }).asymmetricKeyDetails?.namedCurve
  } catch {
    // A point that is not on its curve, or no key at all.
  }
  if (curve === undefined || !curves.has(curve))
    throw new SigningRefusal('KeyRefused', 'the key must be an elliptic curve key on P-256, P-384 or P-521')
  return publicKey
}

function nameOf(request: x509.Pkcs10CertificateRequest): string {
  const others = [
    ...request.attributes.filter(({ type }) => type !== extensionRequest),
    ...request.extensions.filter(({ type }) => type !== subjectAlternativeName),
  ]
  const names = request.extensions.flatMap((extension) =>
    extension instanceof x509.SubjectAlternativeNameExtension ? extension.names.toJSON() : [],
  )
  const [only] = names
  if (others.length > 0 || names.length !== 1 || only?.type !== 'dns' || !hostName.test(only.value))
    throw new SigningRefusal(
      'NameRefused',
      'the request must ask for one subject alternative name, the DNS name of the Host, and for no other extension or attribute',
    )
  const name = only.value
  const subject = JSON.stringify(request.subjectName.toJSON())
  const wanted: x509.JsonName = name.length > maxCommonName ? [] : [{ CN: [name] }]
  if (subject !== JSON.stringify(wanted))
    throw new SigningRefusal(
      'NameRefused',
      `the subject must be CN=${name} and nothing besides, or nothing where that has more than ${maxCommonName} characters`,
    )
  if (reservedNames.has(name)) throw new SigningRefusal('NameRefused', `the name ${name} is the operator's own`)
  return name
}
