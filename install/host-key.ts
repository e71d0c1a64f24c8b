// The library's container asks for it before it is loaded itself.
import 'reflect-metadata'
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(globalThis.crypto)

/** RFC 5280, ub-common-name. */
const maxCommonName = 64

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** PEM (PKCS #8) of a fresh P-256 key. Never log it. */
export function makeKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
}

/** SHA-256 in hex of a private key's public half (SubjectPublicKeyInfo). */
export function fingerprintOf(key: string): string {
  return fingerprint(createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'der' }))
}

/** PKCS #10 in PEM: the name as the only DNS name, and as subject unless it is too long for one; the operator signs nothing more. */
export async function makeRequest(name: string, key: string): Promise<string> {
  const publicKey = createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'der' })
  const keys = {
    privateKey: await crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(key), algorithm, false, ['sign']),
    publicKey: await crypto.subtle.importKey('spki', publicKey, algorithm, true, ['verify']),
  }
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: name.length > maxCommonName ? [] : [{ CN: [name] }],
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
  })
  return `${request.toString('pem')}\n`
}

/**
 * The name of the CertificateSigningRequest for a host and its key. The same for every try, so a try that was cut off is taken up again; and
 * whoever approves the name that he read on the host approves that key and no other.
 */
export function requestName(host: string, keyFingerprint: string): string {
  const digest = createHash('sha256').update(`${host} ${keyFingerprint}`).digest('hex').slice(0, 20)
  return `${host.slice(0, 200).replace(/[.-]+$/, '')}-${digest}`
}

export type RequestDescription = { readonly host: string; readonly keyFingerprint: string }

/** Host name and key of a request, as it says; whether it may say so is not judged here. Undefined where it does not name one host. */
export function describeRequest(pem: string): RequestDescription | undefined {
  try {
    const request = new x509.Pkcs10CertificateRequest(pem)
    const [name, ...others] = request.extensions.flatMap((extension) =>
      extension instanceof x509.SubjectAlternativeNameExtension ? extension.names.toJSON() : [],
    )
    if (name === undefined || others.length > 0) return undefined
    return { host: name.value, keyFingerprint: fingerprint(Buffer.from(request.publicKey.rawData)) }
  } catch {
    return undefined
  }
}

function fingerprint(spki: Buffer): string {
  return createHash('sha256').update(spki).digest('hex')
}
