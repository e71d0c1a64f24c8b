import {
  abortable,
  ForbiddenError,
  KubeError,
  NotFoundError,
  type Clock,
  type KubeClient,
  type TokenSource,
} from '@keelson/kube'
import { ownCall } from './own-call.ts'
import { usersNamespace } from './users.ts'

/** The shortest that an API server gives. */
const expirationSeconds = 600

interface Held {
  readonly token: string
  readonly renewAt: number
  readonly endsAt: number
}

/** The token of one account: asked for with the console's own client when it is needed, and again when two thirds of its life are over. */
export class PersonToken implements TokenSource {
  readonly #client: KubeClient
  readonly #account: string
  readonly #clock: Clock
  #held: Held | undefined
  #renewal: Promise<Held> | undefined

  constructor(client: KubeClient, account: string, clock: Clock) {
    this.#client = client
    this.#account = account
    this.#clock = clock
  }

  /** @throws ForbiddenError `AccountMissing` where the ServiceAccount is not there (any more). */
  async token(signal?: AbortSignal): Promise<string> {
    const held = this.#held
    if (held !== undefined && this.#clock.now() < held.renewAt) return held.token
    // One renewal for all who wait; whoever gives up does not end it for the others.
    this.#renewal ??= this.#renew().finally(() => (this.#renewal = undefined))
    try {
      return (await abortable(this.#renewal, signal)).token
    } catch (error) {
      const isPassing = error instanceof KubeError && error.retryable
      if (isPassing && held !== undefined && held === this.#held && this.#clock.now() < held.endsAt) return held.token
      throw error
    }
  }

  /** Of an account that was deleted and made again, as a rule. */
  refused(token: string): void {
    if (this.#held?.token === token) this.#held = undefined
  }

  async #renew(): Promise<Held> {
    const asked = this.#clock.now()
    try {
      const answer = this.#client.createToken(usersNamespace, this.#account, { expirationSeconds })
      const given = await ownCall(`make tokens in ${usersNamespace}`, answer)
      const lifeMs = given.expirationSeconds * 1_000
      this.#held = { token: given.token, renewAt: asked + (lifeMs * 2) / 3, endsAt: asked + lifeMs }
      return this.#held
    } catch (error) {
      if (error instanceof NotFoundError) throw accountMissing(this.#account, error)
      throw error
    }
  }
}

function accountMissing(account: string, cause: unknown): ForbiddenError {
  return new ForbiddenError({
    code: 'AccountMissing',
    message: `there is no ServiceAccount ${account} in ${usersNamespace} any more: an administrator has to make it again, or to delete the account`,
    status: 403,
    reason: 'NotFound',
    cause,
  })
}
