/** Settings of the console, judged and complete. Holds secrets: never log it whole. */
export interface Configuration {
  readonly bindAddress: string
  readonly bindPort: number
  /** Where browsers find the console: scheme, host and port, no path. */
  readonly publicUrl: URL
  /** `file:…` or `postgres://…`; may hold a password. */
  readonly databaseUrl: string
  /** The first one makes, all are taken. */
  readonly sessionSecrets: readonly string[]
  /** Undefined: the service account of the Pod. */
  readonly kubeconfig: string | undefined
  /** The API server as people reach it: what kubeconfigs say. Undefined: as the console does. */
  readonly kubernetesPublicUrl: URL | undefined
  /** Addresses and ranges whose X-Forwarded-* headers are believed. */
  readonly trustedProxies: readonly string[]
  readonly sessionIdleSeconds: number
  readonly sessionAbsoluteSeconds: number
  /** Account of the first administrator, to whom the bootstrap link belongs. */
  readonly administrator: string
  readonly auditRetentionDays: number
  /** Undefined: those that come with the program. */
  readonly pages: string | undefined
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}
