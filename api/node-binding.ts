/**
 * A Node's host has the uid of its Node in its certificate, as serialNumber of the subject (2.5.4.5, RFC 4519: that of a device): a Node that was deleted and
 * made again under its name is another one, and the certificate of the old one is worthless. The name itself is the DNS name, as ever.
 */
export const nodeUidAttribute = '2.5.4.5'

/** @param subject of a certificate, as node:crypto shows it. @returns undefined where the certificate is bound to no Node */
export function boundNodeUid(subject: string | undefined): string | undefined {
  return /^serialNumber=(.+)$/m.exec(subject ?? '')?.[1]
}

/** Whether a certificate is of another Node than the one with that uid. One that is bound to none is of any; without a uid to compare with nothing is known. */
export function isOfAnotherNode(subject: string | undefined, nodeUid: string | undefined): boolean {
  const bound = boundNodeUid(subject)
  return bound !== undefined && nodeUid !== undefined && bound !== nodeUid
}
