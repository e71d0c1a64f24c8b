import type { X509Certificate } from 'node:crypto'
import { Refusal } from './refusal.ts'

/** The one name that the agent lets in, as a DNS name in the certificate; the subject is not looked at. */
export const clientName = 'request.keelson.dev'

const clientAuthentication = '1.3.6.1.5.5.7.3.2'

/**
 * Throws 403 `ClientRefused` unless the certificate is that of the operator. That it is of our authority and valid in time is known by then:
 * the TLS handshake has checked it.
 */
export function admitClient(certificate: X509Certificate | undefined): void {
  const named = certificate?.checkHost(clientName, { subject: 'never', wildcards: false })
  // OpenSSL lets a certificate pass that does not say what it is for; we do not.
  if (named !== undefined && certificate?.keyUsage?.includes(clientAuthentication)) return
  throw new Refusal(403, 'ClientRefused', `only a client certificate for ${clientName} is admitted here`, {
    headers: { connection: 'close' },
  })
}
