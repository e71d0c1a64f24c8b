import { isIPv6 } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import { agentPort } from '@keelson/api'
import { buildConnector, Pool, type Dispatcher } from 'undici'

export type ClientCertificate = {
  /** PEM of the roots that sign agents. */
  readonly ca: string
  /** PEM of the operator's certificate and its key. */
  readonly certificate: string
  readonly key: string
}

export type Endpoint = {
  /** Name of the Host; with https the certificate must bear it. */
  readonly host: string
  /** IP address, checked before. */
  readonly address: string
  readonly port: number
  readonly scheme: 'http' | 'https'
}

const connectTimeoutMs = 5_000
/** Longer than a host's facts are polled, so that the poll finds its connection open: handshakes cost ten times the request. An agent waits for longer. */
const agentKeepAliveMs = 75_000
/** Other servers close idle connections after 5 s and more; a request written into one that is just closing is lost. */
const keepAliveMs = 4_000

/** A dispatcher for one request; its connection is closed when the lease is disposed of. */
export type Lease = Disposable & { readonly dispatcher: Dispatcher }

/**
 * Connections to hosts. Those that are kept alive between requests are at most four a host, and of at most `limit` hosts; the host that was
 * not used for longest goes first, and one that no connection is left to holds no memory.
 *
 * The socket goes to the checked address and to no other: no names are resolved, no redirect is followed, no proxy is asked.
 */
export class HostPools implements AsyncDisposable {
  readonly #identity: () => ClientCertificate
  #context: { readonly of: ClientCertificate; readonly context: SecureContext } | undefined
  readonly #limit: number
  /** Kept alive, in the order of their last use. */
  readonly #kept = new Map<string, Pool>()
  /** All others: for one request only, or forgotten while something was in flight. */
  readonly #ending = new Set<Pool>()

  /** @param identity asked for each connection, since certificates end; the same object as long as nothing changed */
  constructor(identity: () => ClientCertificate, limit = 10_000) {
    this.#identity = identity
    this.#limit = limit
  }

  /** Hosts that connections are kept to. */
  get size(): number {
    return this.#kept.size
  }

  /** Connections that are kept. Ask anew for each request: what is not in use may be closed at any time. */
  kept(endpoint: Endpoint): Dispatcher {
    const key = keyOf(endpoint)
    const pool = this.#kept.get(key) ?? this.#openKept(key, endpoint)
    // Set anew: a Map keeps the order of insertion, so the first one is the one unused for longest.
    this.#kept.delete(key)
    this.#kept.set(key, pool)
    this.#trim()
    return pool
  }

  /**
   * A connection that nobody has used. A request that must not be sent twice goes here: on a kept connection to a host that is gone it is
   * written into the void and nobody knows what became of it, a new connection just does not come about. It costs a handshake.
   */
  fresh(endpoint: Endpoint): Lease {
    const pool = this.#open(endpoint)
    this.#ending.add(pool)
    return { dispatcher: pool, [Symbol.dispose]: () => this.#end(pool) }
  }

  /** After a request went wrong: kept connections to a host that was cut off are as dead, so the next request makes its own. */
  forget(endpoint: Endpoint): void {
    const key = keyOf(endpoint)
    const pool = this.#kept.get(key)
    if (pool !== undefined) this.#drop(key, pool)
  }

  #open(endpoint: Endpoint): Pool {
    const keepAliveTimeout = endpoint.port === agentPort ? agentKeepAliveMs : keepAliveMs
    return new Pool(originOf(endpoint), {
      connections: 4,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout,
      keepAliveMaxTimeout: keepAliveTimeout,
      connect: this.#connector(endpoint.host),
    })
  }

  /** undici's own, anew when the certificate is another; connections that are open stay. */
  #connector(servername: string): buildConnector.connector {
    let built: { readonly with: SecureContext; readonly connect: buildConnector.connector } | undefined
    return (options, done) => {
      const secureContext = this.#secureContext()
      if (built?.with !== secureContext)
        built = {
          with: secureContext,
          // Over HTTP/2 all requests to a host would share one connection and its fate.
          connect: buildConnector({ timeout: connectTimeoutMs, secureContext, servername, allowH2: false }),
        }
      built.connect(options, done)
    }
  }

  #secureContext(): SecureContext {
    const of = this.#identity()
    if (this.#context?.of !== of) {
      const { ca, certificate: cert, key } = of
      this.#context = { of, context: createSecureContext({ ca, cert, key, minVersion: 'TLSv1.3' }) }
    }
    return this.#context.context
  }

  #openKept(key: string, endpoint: Endpoint): Pool {
    const pool = this.#open(endpoint)
    pool.on('disconnect', () => {
      const { connected, size } = pool.stats
      if (connected === 0 && size === 0) this.#drop(key, pool)
    })
    return pool
  }

  #trim(): void {
    for (const [key, pool] of this.#kept) {
      if (this.#kept.size <= this.#limit) return
      this.#drop(key, pool)
    }
  }

  #drop(key: string, pool: Pool): void {
    if (this.#kept.get(key) === pool) this.#kept.delete(key)
    this.#end(pool)
  }

  /** What is in flight may still end well. */
  #end(pool: Pool): void {
    if (pool.closed || pool.destroyed) return
    this.#ending.add(pool)
    const ended = () => this.#ending.delete(pool)
    pool.close().then(ended, ended)
  }

  /** Ends what is in flight, too. */
  async [Symbol.asyncDispose](): Promise<void> {
    const pools = [...this.#kept.values(), ...this.#ending]
    this.#kept.clear()
    await Promise.all(pools.map((pool) => pool.destroy()))
  }
}

function originOf({ scheme, address, port }: Endpoint): string {
  return `${scheme}://${isIPv6(address) ? `[${address}]` : address}:${port}`
}

function keyOf(endpoint: Endpoint): string {
  return `${originOf(endpoint)} ${endpoint.host}`
}
