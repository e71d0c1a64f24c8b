import { createHash, createPrivateKey, X509Certificate, type webcrypto } from 'node:crypto'
import { nodeUidAttribute } from '@keelson/api'
import { backdateMs, ecdsaP256, x509 } from './x509.ts'

/** A certificate that signs others, and its key, both PEM (the key as PKCS #8). Holds a secret: never log it. */
export type Root = { readonly certificate: string; readonly key: string }

const day = 86_400_000
const rootLifetimeMs = 3_650 * day

/** A fresh self-signed root. No two have the same name, so that chains and error messages are never ambiguous. */
export async function makeRoot(now: Date): Promise<Root> {
  const keys = await crypto.subtle.generateKey(ecdsaP256, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [`keelson agents ${crypto.randomUUID()}`] }],
    keys,
    notBefore: new Date(now.getTime() - backdateMs),
    notAfter: new Date(now.getTime() + rootLifetimeMs),
    signingAlgorithm: ecdsaP256,
    extensions: [...signs(), await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)],
  })
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  return { certificate: pem(certificate), key }
}

/** What stands for a root where its certificate is too long: the SHA-256 of its public key, in hex. */
export function rootId(certificate: string): string {
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(spki).digest('hex')
}

/**
 * The new root's name and key, certified by the old root: who trusts the old one alone, verifies what the new one signed once this is sent
 * along.
 */
export async function crossCertify(newRoot: string, old: Root, now: Date): Promise<string> {
  const subject = new x509.X509Certificate(newRoot)
  const issuer = new x509.X509Certificate(old.certificate)
  const certificate = await x509.X509CertificateGenerator.create({
    subject: subject.subjectName,
    issuer: issuer.subjectName,
    publicKey: subject.publicKey,
    signingKey: await signingKey(old),
    notBefore: new Date(now.getTime() - backdateMs),
    notAfter: issuer.notAfter,
    signingAlgorithm: ecdsaP256,
    extensions: [
      ...signs(0),
      await x509.SubjectKeyIdentifierExtension.create(subject.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  return pem(certificate)
}

export type Leaf = {
  /** The only name: the DNS SAN, and the subject's CN unless it is too long for one. */
  readonly name: string
  /** Of its Node, where it has one: the certificate is worth nothing for another Node of that name. */
  readonly nodeUid?: string | undefined
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer
  readonly usage: 'server' | 'client'
  readonly lifetimeMs: number
}

/** A certificate of that root, PEM; it ends with its root at the latest. */
export async function issue(root: Root, leaf: Leaf, now: Date): Promise<string> {
  const issuer = new x509.X509Certificate(root.certificate)
  const subject = subjectOf(leaf)
  const end = Math.min(now.getTime() + leaf.lifetimeMs, issuer.notAfter.getTime())
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: issuer.subjectName,
    publicKey: new x509.PublicKey(leaf.publicKey),
    signingKey: await signingKey(root),
    notBefore: new Date(now.getTime() - backdateMs),
    notAfter: new Date(end),
    signingAlgorithm: ecdsaP256,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[`${leaf.usage}Auth`]]),
      // Without a subject it must be critical (RFC 5280, 4.2.1.6).
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: leaf.name }], subject.length === 0),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  return pem(certificate)
}

/** RFC 5280, ub-common-name. Whoever verifies a certificate of ours looks at its DNS name alone. */
export const maxCommonName = 64

/** As a structure: in text a name would have to be escaped. */
function subjectOf({ name, nodeUid }: Leaf): x509.JsonName {
  return [
    ...(name.length > maxCommonName ? [] : [{ CN: [name] }]),
    ...(nodeUid === undefined ? [] : [{ [nodeUidAttribute]: [nodeUid] }]),
  ]
}

/** Whether the certificate was signed by this root. */
export function isSignedBy(certificate: X509Certificate, root: string): boolean {
  const issuer = new X509Certificate(root)
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

/** Whether the key is the one in the root's certificate. Throws where either is unreadable. */
export function holdsItsKey({ certificate, key }: Root): boolean {
  return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
}

function signs(pathLength?: number): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(true, pathLength, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ]
}

async function signingKey({ key }: Root): Promise<webcrypto.CryptoKey> {
  return crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(key), ecdsaP256, false, ['sign'])
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`
}
