import { KubeClient, systemClock, type ClientConfiguration, type Clock } from '@keelson/kube'
import { PersonToken } from './person-token.ts'
import { fieldManager } from './users.ts'

export interface PersonClientsOptions {
  /** The console's own, which makes the tokens. */
  readonly client: KubeClient
  /** The same API server. Credentials are a person's own, whatever stands here. */
  readonly cluster: Pick<ClientConfiguration, 'server' | 'ca' | 'serverName'>
  readonly clock?: Clock
  /** Accounts with a client at a time; the one that was idle for longest goes. Default 256. */
  readonly limit?: number
  /** Default 10 minutes. */
  readonly idleMs?: number
}

interface Held {
  readonly client: KubeClient
  usedAt: number
}

/** A call that has taken its client before that was put away may still use it for this long. */
const graceMs = 120_000

/**
 * One client for each account, with that account's own token: whatever a person does is done, allowed and logged as that person. Clients, their connections
 * included, are never shared between accounts.
 */
export class PersonClients implements AsyncDisposable {
  readonly #options: PersonClientsOptions
  readonly #clock: Clock
  readonly #limit: number
  readonly #idleMs: number
  /** In the order of their last use. */
  readonly #held = new Map<string, Held>()
  readonly #leaving = new Set<{ readonly client: KubeClient; readonly cancel: () => void }>()
  #cancelSweep: (() => void) | undefined

  constructor(options: PersonClientsOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#limit = options.limit ?? 256
    this.#idleMs = options.idleMs ?? 600_000
  }

  /** For the calls of one request: ask again for the next one. */
  for(account: string): KubeClient {
    const held = this.#held.get(account) ?? { client: this.#create(account), usedAt: 0 }
    held.usedAt = this.#clock.now()
    this.#held.delete(account)
    this.#held.set(account, held)
    if (this.#held.size > this.#limit) this.#putAway([...this.#held.keys()][0]!)
    this.#cancelSweep ??= this.#clock.schedule(this.#idleMs, () => this.#sweep())
    return held.client
  }

  get size(): number {
    return this.#held.size
  }

  #create(account: string): KubeClient {
    const { client, cluster } = this.#options
    const { server, ca, serverName } = cluster
    const credentials = { tokenSource: new PersonToken(client, account, this.#clock) }
    return new KubeClient({ server, ca, serverName, credentials, fieldManager, requestTimeoutMs: 30_000 })
  }

  #sweep(): void {
    this.#cancelSweep = undefined
    const longAgo = this.#clock.now() - this.#idleMs
    for (const [account, { usedAt }] of this.#held) if (usedAt <= longAgo) this.#putAway(account)
    if (this.#held.size > 0) this.#cancelSweep = this.#clock.schedule(this.#idleMs, () => this.#sweep())
  }

  #putAway(account: string): void {
    const { client } = this.#held.get(account)!
    this.#held.delete(account)
    const end = (): void => {
      this.#leaving.delete(leaving)
      void client.close()
    }
    const leaving = { client, cancel: this.#clock.schedule(graceMs, end) }
    this.#leaving.add(leaving)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancelSweep?.()
    for (const { cancel } of this.#leaving) cancel()
    const clients = [...this.#held.values(), ...this.#leaving].map(({ client }) => client)
    this.#held.clear()
    this.#leaving.clear()
    await Promise.all(clients.map((client) => client.close()))
  }
}
