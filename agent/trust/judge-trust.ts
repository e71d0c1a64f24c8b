import { X509Certificate, type KeyObject } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { Parameters } from '@keelson/engine'
import { Refusal } from '../refusal.ts'
import type { TlsMaterial } from './tls-material.ts'

const serverAuthentication = '1.3.6.1.5.5.7.3.1'

export type Holder = {
  /** The Host's. */
  readonly name: string
  /** In PEM; the certificate is to be of one of them. */
  readonly keys: readonly { readonly pem: string; readonly key: KeyObject }[]
  /** The certificate of whoever brings the new trust. */
  readonly client: X509Certificate
  readonly now: Date
}

/**
 * A new identity as it was brought: `certificate` and `bundle` (one or two roots), in PEM. Throws 422 with the field that is at fault, for
 * everything that would make the agent one that no operator reaches.
 */
export function judgeTrust(parameters: Parameters, { name, keys, client, now }: Holder): TlsMaterial {
  const unknown = Object.keys(parameters).find((parameter) => parameter !== 'certificate' && parameter !== 'bundle')
  if (unknown !== undefined) throw refusal('ParameterUnknown', 'not a parameter of this request', unknown)
  const roots = certificates(parameters, 'bundle', 2)
  for (const root of roots) refuseRoot(root, now)
  const [own] = certificates(parameters, 'certificate', 1)
  const owner = keys.find(({ key }) => own.checkPrivateKey(key))
  if (owner === undefined) {
    throw refusal('KeyMismatch', 'it is not for the key of the last certificate signing request', 'certificate')
  }
  if (own.subjectAltName !== `DNS:${name}`) {
    throw refusal('NameMismatch', `its subject alternative name is to be the DNS name ${name} alone`, 'certificate')
  }
  if (own.ca || !(own.keyUsage ?? []).includes(serverAuthentication)) {
    throw refusal('UsageMismatch', 'it is to be for server authentication, and no authority', 'certificate')
  }
  refuseTime(own, now, 'certificate')
  if (!isIssuedByOneOf(own, roots)) {
    throw refusal('IssuerUnknown', 'no root of the bundle has issued it', 'certificate')
  }
  if (!isIssuedByOneOf(client, roots)) {
    const message =
      'no root of it has issued the certificate that this request comes by: nobody could reach this agent again'
    throw refusal('WouldLockOut', message, 'bundle')
  }
  return usable({ ca: pem(roots), cert: pem([own]), key: Buffer.from(owner.pem) })
}

function refuseRoot(root: X509Certificate, now: Date): void {
  if (!root.ca || !isIssuedByOneOf(root, [root])) {
    throw refusal('RootRefused', 'a root is a self-signed certificate of an authority', 'bundle')
  }
  refuseTime(root, now, 'bundle')
}

function refuseTime({ validFromDate, validToDate }: X509Certificate, now: Date, field: string): void {
  if (validFromDate > now) {
    throw refusal(
      'NotYetValid',
      `it is valid from ${validFromDate.toISOString()}; here it is ${now.toISOString()}`,
      field,
    )
  }
  if (validToDate <= now) {
    throw refusal('Expired', `it was valid until ${validToDate.toISOString()}; here it is ${now.toISOString()}`, field)
  }
}

function isIssuedByOneOf(certificate: X509Certificate, roots: readonly X509Certificate[]): boolean {
  return roots.some((root) => certificate.checkIssued(root) && certificate.verify(root.publicKey))
}

/** One to `most` of them, and not a word beside them. */
function certificates(
  parameters: Parameters,
  field: string,
  most: number,
): readonly [X509Certificate, ...X509Certificate[]] {
  const text = Object.hasOwn(parameters, field) ? parameters[field] : undefined
  if (text === undefined) throw refusal('ParameterMissing', 'this request needs it', field)
  const blocks = text.trim().split(/(?<=-----END CERTIFICATE-----)\s*(?=-----BEGIN)/)
  const expected = most === 1 ? 'one certificate in PEM' : `one to ${most} certificates in PEM`
  if (blocks.length > most) throw refusal('Malformed', `it is to be ${expected}`, field)
  const [first, ...rest] = blocks.map((block) => {
    try {
      if (/^-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----$/.test(block))
        return new X509Certificate(block)
    } catch {
      // Told below.
    }
    throw refusal('Malformed', `it is to be ${expected}`, field)
  })
  return [first!, ...rest]
}

function pem(all: readonly X509Certificate[]): Buffer {
  return Buffer.from(all.map((certificate) => certificate.toString()).join(''))
}

/** What OpenSSL would refuse to serve (a digest that is too weak …) is refused before it replaces what works. */
function usable(material: TlsMaterial): TlsMaterial {
  try {
    createSecureContext(material)
  } catch {
    throw refusal('Unusable', 'OpenSSL does not take it', 'certificate')
  }
  return material
}

function refusal(code: string, message: string, field: string): Refusal {
  return new Refusal(422, code, message, { field })
}
