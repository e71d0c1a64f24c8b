import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const hour = 3_600_000

export type Issued = {
  readonly dnsNames?: readonly string[]
  readonly addresses?: readonly string[]
  readonly usages?: readonly ('serverAuth' | 'clientAuth')[]
  readonly isAuthority?: boolean
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** Names this one as its issuer, by name and key identifier. */
  readonly posingAs?: SigningRoot
}

/** An authority that signs requests, as the operator does; for an hour ago to a year ahead unless told. */
export class SigningRoot {
  readonly certificate: string
  readonly #keys: webcrypto.CryptoKeyPair
  readonly #name: string

  private constructor(name: string, keys: webcrypto.CryptoKeyPair, certificate: string) {
    this.#name = name
    this.#keys = keys
    this.certificate = certificate
  }

  static async create(name: string, { isAuthority = true, ...times }: Issued = {}): Promise<SigningRoot> {
    x509.cryptoProvider.set(globalThis.crypto)
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    const made = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      keys,
      signingAlgorithm: algorithm,
      ...validity(times),
      extensions: [
        new x509.BasicConstraintsExtension(isAuthority, undefined, true),
        ...(isAuthority ? [new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)] : []),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    })
    return new SigningRoot(name, keys, `${made.toString('pem')}\n`)
  }

  /** A certificate for the key of a request; its names are `issued`'s alone. */
  async sign(request: string, issued: Issued): Promise<string> {
    const { publicKey } = new x509.Pkcs10CertificateRequest(request)
    return this.#issue(await publicKey.export(algorithm, ['verify']), issued)
  }

  async issue(issued: Issued): Promise<{ readonly certificate: string; readonly key: string }> {
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
    return {
      certificate: await this.#issue(keys.publicKey, issued),
      key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
    }
  }

  async #issue(publicKey: webcrypto.CryptoKey, issued: Issued): Promise<string> {
    const {
      dnsNames = [],
      addresses = [],
      usages = ['serverAuth'],
      isAuthority = false,
      posingAs = this,
      ...times
    } = issued
    const names: x509.JsonGeneralName[] = [
      ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
      ...addresses.map((value) => ({ type: 'ip' as const, value })),
    ]
    const made = await x509.X509CertificateGenerator.create({
      subject: 'CN=signed',
      issuer: `CN=${posingAs.#name}`,
      publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: algorithm,
      ...validity(times),
      extensions: [
        new x509.BasicConstraintsExtension(isAuthority, undefined, true),
        new x509.ExtendedKeyUsageExtension(usages.map((usage) => x509.ExtendedKeyUsage[usage])),
        await x509.AuthorityKeyIdentifierExtension.create(posingAs.#keys.publicKey),
        ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      ],
    })
    return `${made.toString('pem')}\n`
  }
}

function validity({ notBefore, notAfter }: Issued): { readonly notBefore: Date; readonly notAfter: Date } {
  return {
    notBefore: notBefore ?? new Date(Date.now() - hour),
    notAfter: notAfter ?? new Date(Date.now() + 24 * 365 * hour),
  }
}
