import type { X509Certificate } from 'node:crypto'
import { backdateMs } from './x509.ts'

/** Milliseconds since the epoch at which two thirds of a certificate's life are over. What it was backdated by is not life. */
export function renewalTime({
  validFromDate,
  validToDate,
}: Pick<X509Certificate, 'validFromDate' | 'validToDate'>): number {
  const start = validFromDate.getTime() + backdateMs
  return start + ((validToDate.getTime() - start) * 2) / 3
}

export function isDue(certificate: X509Certificate, now: Date): boolean {
  return now.getTime() >= renewalTime(certificate)
}
