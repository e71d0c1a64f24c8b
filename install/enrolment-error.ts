export type EnrolmentErrorCode =
  /** The name could not be a Host's. */
  | 'NameRefused'
  /** The operator, or a person, said no. The key is thrown away: the next try begins anew. */
  | 'RequestDenied'
  /** It was approved, and the operator still could not sign it. The key is thrown away. */
  | 'RequestFailed'
  /** No answer before the deadline. The key is kept: the next try takes the same request up. */
  | 'NotSignedInTime'
  /** The cluster publishes no roots: no operator has run in it. */
  | 'TrustMissing'
  /** What came is not a certificate for this host's name and key by a root of the cluster. */
  | 'CertificateRefused'
  /** It is of another Node, which had the name of this one before. The key is thrown away. */
  | 'OtherNode'
  /** The folder, or what is in it, cannot be used. */
  | 'FolderUnusable'

/** A host did not get its certificate; the message is one sentence that says why and what to do. */
export class EnrolmentError extends Error {
  readonly code: EnrolmentErrorCode

  constructor(code: EnrolmentErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.name = 'EnrolmentError'
    this.code = code
  }
}
