import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isOfAnotherNode } from '@keelson/api'
import { EnrolmentError } from './enrolment-error.ts'

const serverAuthentication = '1.3.6.1.5.5.7.3.1'

export type CertificateFiles = {
  /** PEM of the roots. */
  readonly bundle: string
  /** PEM of the host's certificate and of its key. */
  readonly certificate: string
  readonly key: string
}

/** Whom a certificate is to be of. */
export type Owner = {
  /** Of the Host. */
  readonly name: string
  /** Of its Node; undefined where that is not known, or there is none. */
  readonly nodeUid?: string | undefined
}

/**
 * Makes sure that an agent can serve with these files, and that an operator will accept it.
 *
 * @returns when the certificate ends
 * @throws EnrolmentError `CertificateRefused`, `OtherNode`
 */
export function verifyCertificate({ bundle, certificate, key }: CertificateFiles, owner: Owner, now: Date): Date {
  const own = parse(certificate, 'the certificate')
  if (!own.checkPrivateKey(createPrivateKey(key)))
    throw new EnrolmentError('CertificateRefused', `the certificate for ${owner.name} is for another key`)
  return judgeCertificate(own, bundle, owner, now)
}

/** As {@link verifyCertificate}, of a certificate whose key is elsewhere. */
export function judgeCertificate(own: X509Certificate, bundle: string, { name, nodeUid }: Owner, now: Date): Date {
  const refuse = (problem: string): never => {
    throw new EnrolmentError('CertificateRefused', `the certificate for ${name} ${problem}`)
  }
  if (own.checkHost(name, { subject: 'never', wildcards: false }) === undefined) refuse('does not bear that name')
  if (!own.keyUsage?.includes(serverAuthentication)) refuse('is not one for servers')
  if (isOfAnotherNode(own.subject, nodeUid))
    throw new EnrolmentError('OtherNode', `the certificate for ${name} is of another Node, which had that name before`)
  if (!rootsOf(bundle).some((root) => own.checkIssued(root) && own.verify(root.publicKey)))
    refuse('is not signed by a root of the cluster')
  if (own.validFromDate > now) refuse(`is not valid before ${own.validFrom}: correct the clock of this machine`)
  if (own.validToDate <= now) refuse(`has expired at ${own.validTo}: enrol again, or correct the clock of this machine`)
  return own.validToDate
}

/** @throws EnrolmentError `CertificateRefused` where the bundle holds no root */
function rootsOf(bundle: string): X509Certificate[] {
  const blocks = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw new EnrolmentError('CertificateRefused', 'the bundle of the cluster holds no root')
  return blocks.map((block) => parse(block, 'a root in the bundle of the cluster'))
}

function parse(pem: string, what: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (cause) {
    throw new EnrolmentError('CertificateRefused', `${what} is not a certificate in PEM`, cause)
  }
}
