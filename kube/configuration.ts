/** How to reach an API server, and as whom. Holds secrets: never log it. */
export interface ClientConfiguration {
  /** `https://host:port`, a path behind it is kept. */
  readonly server: string
  /** PEM roots that may have signed the server's certificate; the system's where absent. */
  readonly ca?: string | undefined
  /** Name to ask for and to verify, where it is not the host of `server`. */
  readonly serverName?: string | undefined
  readonly credentials: Credentials
  /** Namespace of the kubeconfig's context or of our own pod. */
  readonly namespace?: string | undefined
}

export interface Credentials {
  /** Client certificate and its key, both PEM. */
  readonly certificate?: string | undefined
  readonly key?: string | undefined
  readonly token?: string | undefined
  /** Path of a file whose token changes from time to time; takes precedence over `token`. */
  readonly tokenFile?: string | undefined
  /** Gives the token of each request; takes precedence over both. */
  readonly tokenSource?: TokenSource | undefined
}

export interface TokenSource {
  /** The token to send now. Whatever it throws as a KubeError goes to whoever made the request. */
  token(signal: AbortSignal): Promise<string>
  /** The server answered 401 to this one. The request is sent once more if `token` then gives another. */
  refused(token: string): void
}
