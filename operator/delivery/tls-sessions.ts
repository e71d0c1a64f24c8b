/** A session of one endpoint. */
export type TlsSession = {
  readonly ticket: Buffer
  /** When the certificate ends that the host proved itself by, in milliseconds since 1970: a resumed handshake shows none. */
  readonly certificateEndsAt: number
}

/** TLS sessions by endpoint, the latest of each; of the endpoint not used for longest none is kept over the limit. */
export class TlsSessions {
  readonly #limit: number
  readonly #sessions = new Map<string, TlsSession>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#sessions.size
  }

  /** @param now milliseconds since 1970 */
  find(key: string, now: number): TlsSession | undefined {
    const session = this.#sessions.get(key)
    if (session === undefined || session.certificateEndsAt > now) return session
    this.#sessions.delete(key)
    return undefined
  }

  keep(key: string, session: TlsSession): void {
    // Set anew: a Map keeps the order of insertion.
    this.#sessions.delete(key)
    this.#sessions.set(key, session)
    if (this.#sessions.size <= this.#limit) return
    for (const oldest of this.#sessions.keys()) {
      this.#sessions.delete(oldest)
      return
    }
  }

  drop(key: string): void {
    this.#sessions.delete(key)
  }

  clear(): void {
    this.#sessions.clear()
  }
}
