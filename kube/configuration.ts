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
}
