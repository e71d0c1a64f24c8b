import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(globalThis.crypto)

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

export type KeyPair = { readonly certificate: string; readonly key: string }

export type CertificateRequest = {
  /** RFC 4514, for example `CN=admin,O=system:masters`. */
  readonly subject: string
  readonly dnsNames?: readonly string[]
  readonly addresses?: readonly string[]
  readonly usages: readonly ('server' | 'client')[]
  readonly notBefore?: Date
  readonly notAfter?: Date
}

/** A fresh P-256 key. */
export async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
}

/** PEM (PKCS #8), as the API server takes it for signing service account tokens. */
export async function privateKeyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
}

/** PEM (SubjectPublicKeyInfo) of the public half. */
export async function publicKeyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('spki', keys.publicKey), 'PUBLIC KEY')
}

const hour = 3_600_000

/** A certificate authority of the test world, alive as long as the process. */
export class CertificateAuthority {
  readonly #certificate: x509.X509Certificate
  readonly #keys: webcrypto.CryptoKeyPair

  private constructor(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.#certificate = certificate
    this.#keys = keys
  }

  static async create(name: string): Promise<CertificateAuthority> {
    const keys = await generateKeys()
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      keys,
      notBefore: new Date(Date.now() - hour),
      notAfter: new Date(Date.now() + 24 * 365 * hour),
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    })
    return new CertificateAuthority(certificate, keys)
  }

  /** One that is there already: PEM of its certificate and its P-256 key (PKCS #8). */
  static async of({ certificate, key }: KeyPair): Promise<CertificateAuthority> {
    const issuer = new x509.X509Certificate(certificate)
    const [privateKey, publicKey] = await Promise.all([
      crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(key), algorithm, true, ['sign']),
      crypto.subtle.importKey('spki', issuer.publicKey.rawData, algorithm, true, ['verify']),
    ])
    return new CertificateAuthority(issuer, { privateKey, publicKey })
  }

  get name(): string {
    return this.#certificate.subjectName.getField('CN')[0] ?? ''
  }

  get certificate(): string {
    return this.#certificate.toString('pem')
  }

  /** Backdated by an hour unless told: a host with a slow clock refuses a certificate that is not valid yet. */
  async issue(request: CertificateRequest): Promise<KeyPair> {
    const keys = await generateKeys()
    const names: x509.JsonGeneralName[] = [
      ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
      ...(request.addresses ?? []).map((value) => ({ type: 'ip' as const, value })),
    ]
    const certificate = await x509.X509CertificateGenerator.create({
      subject: request.subject,
      issuer: this.#certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: algorithm,
      notBefore: request.notBefore ?? new Date(Date.now() - hour),
      notAfter: request.notAfter ?? new Date(Date.now() + 24 * hour),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(
          request.usages.map((usage) => x509.ExtendedKeyUsage[usage === 'server' ? 'serverAuth' : 'clientAuth']),
        ),
        await x509.AuthorityKeyIdentifierExtension.create(this.#certificate),
        ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      ],
    })
    return { certificate: certificate.toString('pem'), key: await privateKeyPem(keys) }
  }
}
