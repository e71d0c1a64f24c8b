import type { X509Certificate } from 'node:crypto'
import { boundNodeUid } from '@keelson/api'
import { DeliveryError } from './delivery-error.ts'

/**
 * Why a certificate that is good otherwise is not one of this Host any more: it is bound to a Node, and that is not the Host's. One that is bound to none was
 * approved by a person before there was a Node.
 *
 * @param nodeUid of the Node that has the name now; undefined where there is none
 */
export function revocation(
  { subject }: Pick<X509Certificate, 'subject'>,
  host: string,
  nodeUid: string | undefined,
): DeliveryError | undefined {
  const bound = boundNodeUid(subject)
  if (bound === undefined || bound === nodeUid) return undefined
  return new DeliveryError(
    'CertificateRevoked',
    `TLS: the certificate is of another Node, which had the name ${host} before and was deleted; the installer on the Node gets a new one`,
  )
}
