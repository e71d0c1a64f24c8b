/** Well above what the requests of the largest fleet hold at once; the oldest go first. */
const defaultLimit = 100_000

/**
 * Which request a token or a key was used for: each is good for one. Fed by the requests in the cluster, which stay for an hour after their
 * approval, and by what is signed meanwhile; so it also holds across a change of the leader.
 */
export class UsedCredentials {
  readonly #requests = new Map<string, string>()
  readonly #limit: number

  constructor(limit: number = defaultLimit) {
    this.#limit = limit
  }

  /** Claims them all for the request with that uid, or none: false where one of them was used for another request. */
  claim(requestUid: string, credentials: readonly string[]): boolean {
    const used = credentials.some((credential) => (this.#requests.get(credential) ?? requestUid) !== requestUid)
    if (used) return false
    for (const credential of credentials) this.#requests.set(credential, requestUid)
    for (const oldest of this.#requests.keys()) {
      if (this.#requests.size <= this.#limit) break
      this.#requests.delete(oldest)
    }
    return true
  }
}
