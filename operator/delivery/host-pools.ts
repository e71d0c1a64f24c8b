import { createSecureContext, type SecureContext } from 'node:tls'
import { Connection } from './connection.ts'
import type { Deadline } from './deadline.ts'
import { isAgent, keyOf, originOf, type ClientCertificate, type Endpoint } from './endpoint.ts'
import { openSocket } from './open-socket.ts'
import { TlsSessions, type TlsSession } from './tls-sessions.ts'

export type { ClientCertificate, Endpoint } from './endpoint.ts'

export type PoolLimits = {
  /** Connections to one host at a time that are kept after their request; whoever wants one more waits. */
  readonly perHost: number
  /** Idle connections; over this the one idle for longest is closed. Each is some 60 to 80 KB. */
  readonly idle: number
  /** Of these so many stay for long; the others are closed after `burstIdleMs`. */
  readonly lastingIdle: number
  /** Longer than a run takes, so that the next one finds its connections. */
  readonly burstIdleMs: number
  /** TLS sessions, each some 2 KB. */
  readonly sessions: number
}

const defaultLimits: PoolLimits = {
  perHost: 4,
  idle: 6_000,
  lastingIdle: 1_000,
  burstIdleMs: 30_000,
  sessions: 10_000,
}

/** Longer than a host's facts are polled, so that the poll finds its connection open. An agent waits for longer. */
const agentIdleMs = 75_000
/** Other servers close idle connections after 5 s and more; a request written into one that is just closing is lost. */
const otherIdleMs = 4_000

/**
 * Kept: one that is idle, else a new one, which stays. Spare: likewise, but it stays only while few do. Fresh: one that nobody has used, for this
 * request alone; with TLS it costs a handshake, a short one where the host is known.
 */
export type Use = 'Kept' | 'Spare' | 'Fresh'

/** The connection is nobody else's until the lease is disposed of. */
export type Lease = Disposable & { readonly connection: Connection; readonly reused: boolean }

type Line = { open: number; idle: Connection[]; waiting: (() => void)[] }

/**
 * Connections to hosts. TLS sessions are kept for longer than connections: a host that was spoken to before costs half a handshake.
 *
 * A session is good for one Host at one address by one certificate of ours and one set of roots: when either of these changes, all sessions
 * are forgotten and idle connections are not used any more.
 */
export class HostPools implements AsyncDisposable {
  readonly #identity: () => ClientCertificate
  readonly #limits: PoolLimits
  readonly #nodeUidOf: (host: string) => string | undefined
  #contexts:
    { readonly of: ClientCertificate; readonly agent: SecureContext; readonly other: SecureContext } | undefined
  readonly #sessions: TlsSessions
  readonly #lines = new Map<string, Line>()
  readonly #connections = new Set<Connection>()
  /** In the order in which they became idle. */
  readonly #idle = new Set<Connection>()
  #sweep: NodeJS.Timeout | undefined

  /**
   * @param identity asked for each connection, since certificates end; the same object as long as nothing changed
   * @param nodeUidOf uid of the Node that is a Host's now: no connection or session outlives it
   */
  constructor(
    identity: () => ClientCertificate,
    limits: Partial<PoolLimits> = {},
    nodeUidOf: (host: string) => string | undefined = () => undefined,
  ) {
    this.#identity = identity
    this.#nodeUidOf = nodeUidOf
    this.#limits = { ...defaultLimits, ...limits }
    this.#sessions = new TlsSessions(this.#limits.sessions)
  }

  /** What is held at present, in numbers. */
  get size(): { readonly connections: number; readonly idle: number; readonly sessions: number } {
    return { connections: this.#connections.size, idle: this.#idle.size, sessions: this.#sessions.size }
  }

  /**
   * @throws DeliveryError where none comes about; nothing was sent then
   * @throws the reason of the signal of `deadline`
   */
  async lease(endpoint: Endpoint, use: Use, deadline: Deadline): Promise<Lease> {
    const context = this.#context(endpoint)
    if (use === 'Fresh') {
      const connection = await this.#open(endpoint, context, deadline)
      return { connection, reused: false, [Symbol.dispose]: () => connection.close(over) }
    }
    const key = this.#key(endpoint)
    for (;;) {
      const line = this.#lines.get(key) ?? { open: 0, idle: [], waiting: [] }
      this.#lines.set(key, line)
      const kept = this.#takeIdle(line, context)
      if (kept !== undefined) return this.#lent(kept, line, key, use)
      if (line.open < this.#limits.perHost)
        return this.#lent(await this.#join(endpoint, context, line, deadline), line, key, use)
      await waitIn(line, deadline)
    }
  }

  /** After a request went wrong: kept connections to a host that was cut off are as dead, and who knows whether the session is at fault. */
  forget(endpoint: Endpoint): void {
    const key = this.#key(endpoint)
    this.#sessions.drop(key)
    const line = this.#lines.get(key)
    if (line === undefined) return
    this.#lines.delete(key)
    for (const connection of line.idle.splice(0)) connection.close(over)
    for (const wake of line.waiting.splice(0)) wake()
  }

  #lent(connection: Connection, line: Line, key: string, use: Use): Lease {
    const reused = connection.uses > 0
    connection.uses += 1
    return { connection, reused, [Symbol.dispose]: () => this.#return(connection, line, key, use) }
  }

  #return(connection: Connection, line: Line, key: string, use: Use): void {
    const room = use === 'Kept' || this.#idle.size < this.#limits.lastingIdle
    const stays = room && connection.isOpen && this.#lines.get(key) === line && !this.#isOutdated(connection)
    if (stays) {
      connection.idleSince = performance.now()
      line.idle.push(connection)
      this.#idle.add(connection)
      this.#trim()
    } else connection.close(over)
    line.waiting.shift()?.()
  }

  #takeIdle(line: Line, context: SecureContext | undefined): Connection | undefined {
    for (;;) {
      const connection = line.idle.pop()
      if (connection === undefined) return undefined
      this.#idle.delete(connection)
      if (connection.isOpen && connection.context === context) return connection
      connection.close(over)
    }
  }

  async #join(
    endpoint: Endpoint,
    context: SecureContext | undefined,
    line: Line,
    deadline: Deadline,
  ): Promise<Connection> {
    const key = this.#key(endpoint)
    line.open += 1
    const left = (connection?: Connection) => {
      line.open -= 1
      const place = connection === undefined ? -1 : line.idle.indexOf(connection)
      if (place >= 0) line.idle.splice(place, 1)
      line.waiting.shift()?.()
      // A host whose connections are gone holds no memory but its session.
      if (line.open === 0 && line.waiting.length === 0 && this.#lines.get(key) === line) this.#lines.delete(key)
    }
    try {
      const connection = await this.#open(endpoint, context, deadline)
      connection.onClose(() => left(connection))
      return connection
    } catch (error) {
      left()
      throw error
    }
  }

  async #open(endpoint: Endpoint, context: SecureContext | undefined, deadline: Deadline): Promise<Connection> {
    const key = this.#key(endpoint)
    const session = this.#sessions.find(key, Date.now())
    const offered = (offer: TlsSession) => {
      // A late one of a context that is replaced by now would be taken for one of the new.
      if (context === this.#contexts?.agent || context === this.#contexts?.other) this.#sessions.keep(key, offer)
    }
    const nodeUid = this.#nodeUidOf(endpoint.host)
    const tls = context === undefined ? undefined : { context, nodeUid, session, offered }
    let socket
    try {
      socket = await openSocket(endpoint, tls, deadline)
    } catch (error) {
      this.#sessions.drop(key)
      throw error
    }
    const connection = new Connection(
      socket,
      context,
      originOf(endpoint),
      isAgent(endpoint) ? agentIdleMs : otherIdleMs,
    )
    this.#connections.add(connection)
    connection.onClose(() => {
      this.#connections.delete(connection)
      this.#idle.delete(connection)
    })
    return connection
  }

  /** The certificate is offered to agents alone: nobody else is to know by what the operator proves itself. */
  #context(endpoint: Endpoint): SecureContext | undefined {
    if (endpoint.scheme === 'http') return undefined
    const of = this.#identity()
    if (this.#contexts?.of !== of) {
      const { ca, certificate: cert, key } = of
      const minVersion = 'TLSv1.3'
      this.#contexts = {
        of,
        agent: createSecureContext({ ca, cert, key, minVersion }),
        other: createSecureContext({ ca, minVersion }),
      }
      this.#sessions.clear()
    }
    return isAgent(endpoint) ? this.#contexts.agent : this.#contexts.other
  }

  #key(endpoint: Endpoint): string {
    return `${keyOf(endpoint)} ${this.#nodeUidOf(endpoint.host) ?? ''}`
  }

  #isOutdated({ context }: Connection): boolean {
    return context !== undefined && context !== this.#contexts?.agent && context !== this.#contexts?.other
  }

  #trim(): void {
    const { idle, lastingIdle, burstIdleMs } = this.#limits
    const oldest = this.#idle.values()
    while (this.#idle.size > idle) this.#closeIdle(oldest.next().value!)
    if (this.#idle.size <= lastingIdle || this.#sweep !== undefined) return
    this.#sweep = setTimeout(() => {
      this.#sweep = undefined
      const before = performance.now() - burstIdleMs
      for (const connection of this.#idle) {
        if (this.#idle.size <= lastingIdle || connection.idleSince > before) break
        this.#closeIdle(connection)
      }
      this.#trim()
    }, burstIdleMs / 4).unref()
  }

  #closeIdle(connection: Connection): void {
    // The line hears of it when the socket is closed, and lends out none that is not open.
    this.#idle.delete(connection)
    connection.close(over)
  }

  /** Ends what is in flight, too. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#sweep)
    this.#lines.clear()
    const closed = [...this.#connections].map(async (connection) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      connection.onClose(resolve)
      connection.close(new Error('the operator ends'))
      return promise
    })
    await Promise.all(closed)
  }
}

const over = new Error('the connection is not needed any more')

async function waitIn(line: Line, deadline: Deadline): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  line.waiting.push(resolve)
  deadline.enter('Queue', (reason) => {
    const place = line.waiting.indexOf(resolve)
    if (place >= 0) line.waiting.splice(place, 1)
    reject(reason)
  })
  await promise
  deadline.leave()
}
