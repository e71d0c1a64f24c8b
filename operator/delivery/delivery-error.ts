export type DeliveryReason =
  | 'QueueTimeout'
  | 'ConnectTimeout'
  | 'TLSTimeout'
  | 'HeadersTimeout'
  | 'BodyTimeout'
  | 'ConnectFailed'
  | 'TLSFailed'
  /** The host proved to be one whose Node was deleted. */
  | 'CertificateRevoked'
  | 'ConnectionLost'

/** One attempt to deliver came to nothing; the message says why, for people. */
export class DeliveryError extends Error {
  readonly code: DeliveryReason

  constructor(code: DeliveryReason, message: string) {
    super(message)
    this.name = 'DeliveryError'
    this.code = code
  }
}
