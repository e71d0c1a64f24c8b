/** Why a certificate is not signed: `code` becomes the reason of the request's condition, and `message` its message. */
export class SigningRefusal extends Error {
  readonly code: SigningRefusalCode

  constructor(code: SigningRefusalCode, message: string) {
    super(message)
    this.name = 'SigningRefusal'
    this.code = code
  }
}

export type SigningRefusalCode =
  /** Not one PKCS #10 request that is signed by its own key. */
  | 'RequestMalformed'
  /** CN and DNS names are not one and the same Host's name, or more is asked for than that. */
  | 'NameRefused'
  | 'KeyRefused'
  | 'UsagesRefused'
  /** A workload of the cluster that is not the installer. */
  | 'RequesterRefused'
  /** The installer, but by a token that is not bound to a Pod on a Node. */
  | 'TokenUnbound'
  /** The token's Node is not the one whose name is asked for. */
  | 'NodeMismatch'
  | 'NodeUnknown'
  /** The Pod that the token is bound to is gone, going, or another. */
  | 'PodGone'
  /** The token or the key has had a certificate by another request. */
  | 'Replayed'
