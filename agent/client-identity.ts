import type { X509Certificate } from 'node:crypto'
import { Refusal } from './refusal.ts'

/**
 * The two names that the agent lets in, each as a DNS name in the certificate; the subject is not looked at. *request* is what a HostRequest
 * goes out by, so a user's wish; *control* is the operator's own.
 */
export const clientNames = { request: 'request.keelson.dev', control: 'control.keelson.dev' } as const

export type ClientIdentity = keyof typeof clientNames

export type Client = { readonly identity: ClientIdentity; readonly certificate: X509Certificate }

const clientAuthentication = '1.3.6.1.5.5.7.3.2'

/**
 * Throws 403 `ClientRefused` unless the certificate is one of the operator's, and in its time: a connection may be kept, and a session resumed, for
 * longer than that. That it is of our authority is known by then: the TLS handshake has checked it, or the one that the session is of; a
 * change of roots ends all sessions.
 *
 * @param now milliseconds since 1970
 */
export function admitClient(certificate: X509Certificate | undefined, now: number): Client {
  const identities = (['request', 'control'] as const).filter(
    (name) => certificate?.checkHost(clientNames[name], { subject: 'never', wildcards: false }) !== undefined,
  )
  const [identity] = identities
  // OpenSSL lets a certificate pass that does not say what it is for; we do not. With both names it would undo what two are for.
  if (identity !== undefined && identities.length === 1 && certificate?.keyUsage?.includes(clientAuthentication)) {
    if (certificate.validToDate.getTime() > now) return { identity, certificate }
    throw new Refusal(403, 'ClientRefused', 'the client certificate has expired', { headers: { connection: 'close' } })
  }
  const message = `only a client certificate for either ${clientNames.request} or ${clientNames.control} is admitted here`
  throw new Refusal(403, 'ClientRefused', message, { headers: { connection: 'close' } })
}
