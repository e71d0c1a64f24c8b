import { isIPv6 } from 'node:net'
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
/** Longer than a host's facts are polled, so that the poll finds its connection open; handshakes cost ten times the request. */
const keepAliveMs = 75_000

/**
 * One connection a host, kept alive between requests, at most `limit` of them; the one that was not used for longest goes first.
 *
 * The socket goes to the checked address and to no other: no names are resolved, no redirect is followed, no proxy is asked.
 */
export class HostPools implements AsyncDisposable {
  readonly #tls: ClientCertificate
  readonly #limit: number
  readonly #pools = new Map<string, Pool>()

  constructor(tls: ClientCertificate, limit = 10_000) {
    this.#tls = tls
    this.#limit = limit
  }

  /** Where requests to this endpoint are sent. */
  for(endpoint: Endpoint): Dispatcher {
    const key = keyOf(endpoint)
    const pool = this.#pools.get(key) ?? this.#open(endpoint)
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
    if (pool === undefined) return
    this.#pools.delete(key)
    // What is in flight may still end well.
    void pool.close()
  }

  #open(endpoint: Endpoint): Pool {
    const { ca, certificate, key } = this.#tls
    const tls = { ca, cert: certificate, key, servername: endpoint.host, minVersion: 'TLSv1.3' as const }
    return new Pool(originOf(endpoint), {
      connections: 4,
      pipelining: 1,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
      connect: { timeout: connectTimeoutMs, ...tls },
    })
  }

  #trim(): void {
    for (const [key, pool] of this.#pools) {
      if (this.#pools.size <= this.#limit) return
      this.#pools.delete(key)
      // What is in flight ends first.
      void pool.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()))
    this.#pools.clear()
  }
}

function originOf({ scheme, address, port }: Endpoint): string {
  return `${scheme}://${isIPv6(address) ? `[${address}]` : address}:${port}`
}

function keyOf(endpoint: Endpoint): string {
  return `${originOf(endpoint)} ${endpoint.host}`
}
