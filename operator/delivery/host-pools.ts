import { isIPv6 } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import { agentPort } from '@keelson/api'
import { Pool, type Dispatcher } from 'undici'

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

/**
 * Connections to hosts, kept alive between requests: at most four a host, and at most `limit` hosts; the one that was not used for longest
 * goes first. What has no connection any more holds no memory.
 *
 * The socket goes to the checked address and to no other: no names are resolved, no redirect is followed, no proxy is asked.
 */
export class HostPools implements AsyncDisposable {
  readonly #context: SecureContext
  readonly #limit: number
  /** In the order of their last use. */
  readonly #pools = new Map<string, Pool>()
  /** Take no requests any more; what is in flight may still end well. */
  readonly #closing = new Set<Pool>()

  constructor({ ca, certificate, key }: ClientCertificate, limit = 10_000) {
    this.#context = createSecureContext({ ca, cert: certificate, key, minVersion: 'TLSv1.3' })
    this.#limit = limit
  }

  /** Hosts that there are connections to, or were just now. */
  get size(): number {
    return this.#pools.size
  }

  /** Where requests to this endpoint are sent. Ask anew for each request: what was not used may be closed at any time. */
  for(endpoint: Endpoint): Dispatcher {
    const key = keyOf(endpoint)
    const pool = this.#pools.get(key) ?? this.#open(key, endpoint)
    // Set anew: a Map keeps the order of insertion, so the first one is the one unused for longest.
    this.#pools.delete(key)
    this.#pools.set(key, pool)
    this.#trim()
    return pool
  }

  /** After a request went wrong: the other connections to a host that was cut off are as dead, so the next request makes its own. */
  forget(endpoint: Endpoint): void {
    const key = keyOf(endpoint)
    const pool = this.#pools.get(key)
    if (pool !== undefined) this.#close(key, pool)
  }

  #open(key: string, endpoint: Endpoint): Pool {
    const keepAliveTimeout = endpoint.port === agentPort ? agentKeepAliveMs : keepAliveMs
    const pool = new Pool(originOf(endpoint), {
      connections: 4,
      pipelining: 1,
      // Over HTTP/2 all requests to a host would share one connection and its fate.
      allowH2: false,
      keepAliveTimeout,
      keepAliveMaxTimeout: keepAliveTimeout,
      connect: { timeout: connectTimeoutMs, secureContext: this.#context, servername: endpoint.host },
    })
    pool.on('disconnect', () => {
      const { connected, size } = pool.stats
      if (connected === 0 && size === 0) this.#close(key, pool)
    })
    return pool
  }

  #trim(): void {
    for (const [key, pool] of this.#pools) {
      if (this.#pools.size <= this.#limit) return
      this.#close(key, pool)
    }
  }

  #close(key: string, pool: Pool): void {
    if (this.#pools.get(key) === pool) this.#pools.delete(key)
    if (pool.closed || pool.destroyed) return
    this.#closing.add(pool)
    const closed = () => this.#closing.delete(pool)
    pool.close().then(closed, closed)
  }

  /** Ends what is in flight, too. */
  async [Symbol.asyncDispose](): Promise<void> {
    const pools = [...this.#pools.values(), ...this.#closing]
    this.#pools.clear()
    await Promise.all(pools.map((pool) => pool.destroy()))
  }
}

function originOf({ scheme, address, port }: Endpoint): string {
  return `${scheme}://${isIPv6(address) ? `[${address}]` : address}:${port}`
}

function keyOf(endpoint: Endpoint): string {
  return `${originOf(endpoint)} ${endpoint.host}`
}
