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
 * Throws 403 `ClientRefused` unless the certificate is one of the operator's. That it is of our authority and valid in time is known by then:
 * the TLS handshake has checked it.
 */
export function admitClient(certificate: X509Certificate | undefined): Client {
  const identities = (['request', 'control'] as const).filter(
    (name) => certificate?.checkHost(clientNames[name], { subject: 'never', wildcards: false }) !== undefined,
  )
  const [identity] = identities
  // OpenSSL lets a certificate pass that does not say what it is for; we do not. With both names it would undo what two are for.
  if (identity !== undefined && identities.length === 1 && certificate?.keyUsage?.includes(clientAuthentication)) {
    return { identity, certificate }
  }
  const message = `only a client certificate for either ${clientNames.request} or ${clientNames.control} is admitted here`
  throw new Refusal(403, 'ClientRefused', message, { headers: { connection: 'close' } })
}
