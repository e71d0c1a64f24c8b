import { once } from 'node:events'
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { TLSSocket, type SecureContextOptions } from 'node:tls'
import { AppendFile, type ResourceType, type System } from '@keelson/engine'
import type { Logger } from 'pino'
import { refused, type Answer } from './answer.ts'
import { admitClient } from './client-identity.ts'
import type { AgentConfig } from './config.ts'
import { Deliveries } from './idempotency/deliveries.ts'
import { DeliveryRecords } from './idempotency/delivery-records.ts'
import { Refusal, refusalFor } from './refusal.ts'
import { Routes, splitTarget } from './routes.ts'
import type { TlsMaterial } from './trust/tls-material.ts'
import { Trust } from './trust/trust.ts'

export type ServerLimits = {
  readonly connections: number
  readonly handshakeMs: number
  /** From the connection, or the first byte of a later request, to the end of its headers. */
  readonly headersMs: number
  /** To the last byte of a request, not to the answer: a slow act has limits of its own. */
  readonly requestMs: number
  /** The operator keeps connections between its runs. */
  readonly idleMs: number
  /** How often the limits above are looked at. */
  readonly checkMs: number
}

const defaultLimits: ServerLimits = {
  connections: 16,
  handshakeMs: 5_000,
  headersMs: 10_000,
  requestMs: 30_000,
  idleMs: 15 * 60_000,
  checkMs: 5_000,
}

/** A client that is gone without a word must not hold one of the few connections until `idleMs`. */
const tcpKeepAliveMs = 30_000
const maxPathInLog = 256

export type AgentServerOptions = {
  readonly config: AgentConfig
  readonly tls: TlsMaterial
  readonly system: System
  readonly logger: Logger
  /** Of the wall, milliseconds since 1970. */
  readonly now?: () => number
  /** All there are, unless told. */
  readonly types?: ReadonlyMap<string, ResourceType>
  readonly limits?: Partial<ServerLimits>
}

/** The agent's HTTPS server: mutual TLS, two client names, every answer JSON. */
export class AgentServer {
  readonly #server: Server
  readonly #routes: Routes
  readonly #logger: Logger
  readonly #now: () => number
  readonly #stop = new AbortController()
  /** As accepted, so also those that are in the middle of their handshake. */
  readonly #sockets = new Set<Socket>()
  readonly #inHand = new Set<ServerResponse>()
  /** An act goes on where its connection is gone. */
  readonly #serving = new Set<Promise<void>>()
  #closing = false

  /** Takes up what the agent remembers. Throws `ResourceError` where that cannot be read. */
  static async open(options: AgentServerOptions): Promise<AgentServer> {
    const { config, logger } = options
    const records = new DeliveryRecords(new AppendFile(join(config.state, 'deliveries.log')), steadyNow)
    const { damagedLines } = await records.load()
    if (damagedLines > 0) logger.warn({ damagedLines }, 'delivery records are damaged: these lines are passed over')
    return new AgentServer(options, new Deliveries(records, logger))
  }

  private constructor(options: AgentServerOptions, deliveries: Deliveries) {
    const { config, tls, system, logger, types, now = Date.now } = options
    const limits = { ...defaultLimits, ...options.limits }
    const serve = (material: TlsMaterial): void => this.#server.setSecureContext(secureContext(material))
    const trust = new Trust({ config, tls, now, serve })
    this.#routes = new Routes({ system, types, deliveries, trust, requireOrder: config.requireOrder })
    this.#logger = logger
    this.#now = now
    this.#server = createServer({
      ...secureContext(tls),
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: limits.handshakeMs,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: limits.checkMs,
      keepAlive: true,
      keepAliveInitialDelay: tcpKeepAliveMs,
      // Node's own answer for it has no body.
      requireHostHeader: false,
    })
    this.#server.maxConnections = limits.connections
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.#server.on('drop', () => logger.warn({ limit: limits.connections }, 'connection refused: too many'))
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      // Where the certificate was the reason, the error says only that the connection is gone.
      const reason = socket.authorizationError ?? error.code
      logger.warn({ remoteAddress: socket.remoteAddress, reason }, 'handshake refused')
    })
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#refuseMalformed(error, socket))
    this.#server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
      const refusal = new Refusal(417, 'ExpectationRefused', 'the only expectation that is met here is 100-continue')
      this.#send(response, { ...refused(refusal), headers: { connection: 'close' } })
    })
    this.#server.on('request', (request, response) => {
      const serving = this.#serve(request, response).finally(() => this.#serving.delete(serving))
      this.#serving.add(serving)
    })
  }

  /** Resolves when it listens. Rejects with the system call's error (`EADDRNOTAVAIL`: the address is not up yet). */
  async listen(address: string, port: number): Promise<AddressInfo> {
    this.#server.listen({ host: address, port })
    await once(this.#server, 'listening')
    return this.#server.address() as AddressInfo
  }

  /** Takes no more requests and lets those in hand finish; after `deadlineMs` they are stopped and cut off. */
  async close(deadlineMs: number): Promise<void> {
    this.#closing = true
    const closed = once(this.#server, 'close')
    this.#server.close()
    // Node closes those only that have had a request before.
    const busy = new Set([...this.#inHand].map(({ socket }) => socket && peer(socket)))
    for (const socket of this.#sockets) if (!busy.has(peer(socket))) socket.destroy()
    const { promise: late, resolve: isLate } = Promise.withResolvers<void>()
    const timer = setTimeout(() => {
      this.#stop.abort(new Refusal(503, 'AgentStopping', 'the agent was stopped before this was done'))
      for (const socket of this.#sockets) socket.destroy()
      isLate()
    }, deadlineMs)
    await closed
    await Promise.race([Promise.all(this.#serving), late])
    clearTimeout(timer)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const start = performance.now()
    const gone = new AbortController()
    const { path } = splitTarget(request.url ?? '')
    this.#inHand.add(response)
    response.once('close', () => {
      this.#inHand.delete(response)
      const answered = response.writableFinished
      if (!answered) gone.abort(new Refusal(499, 'ClientGone', 'the client did not wait for the answer'))
      this.#logger.info(
        {
          method: request.method,
          path: path.slice(0, maxPathInLog),
          key: request.headers['idempotency-key']?.slice(0, maxPathInLog),
          status: answered ? response.statusCode : 499,
          durationMs: Math.round(performance.now() - start),
        },
        'request',
      )
    })
    try {
      const { socket } = request
      const client = admitClient(socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined, this.#now())
      const signals = { gone: gone.signal, stop: this.#stop.signal }
      this.#send(response, await this.#routes.answer(request, client, signals))
    } catch (error) {
      // The client broke off in the middle of its body: there is nobody to answer, and nothing of ours has failed.
      if (!request.complete && request.destroyed) return
      this.#send(response, refused(refusalFor(error, this.#logger)))
    }
  }

  #send(response: ServerResponse, { status, body, headers }: Answer): void {
    if (response.destroyed || response.headersSent) return
    const content = Buffer.from(body)
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': content.length,
      ...headers,
      ...(this.#closing ? { connection: 'close' } : {}),
    })
    response.end(content)
  }

  /** What is not HTTP never becomes a request; Node would answer without a body. Failed handshakes come here too: nobody to talk to. */
  #refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
    const authorized = socket instanceof TLSSocket && socket.authorized
    if (!authorized || !socket.writable || error.code === 'ECONNRESET') {
      socket.destroy()
      return
    }
    const refusal = malformed(error)
    const content = JSON.stringify(refusal.body)
    const head = [
      `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(content)}`,
      'connection: close',
    ]
    socket.end(`${head.join('\r\n')}\r\n\r\n${content}`, () => socket.destroy())
    this.#logger.warn({ status: refusal.status, code: error.code }, 'malformed request')
  }
}

/** Of the wall at the agent's start, and from there on steady: a clock that is set after the boot must not make a record of just now old. */
function steadyNow(): number {
  return performance.timeOrigin + performance.now()
}

/** All that a context decides: a new one forgets what the old one had been told, and the sessions that it offered. */
function secureContext({ ca, cert, key }: TlsMaterial): SecureContextOptions {
  return {
    ca,
    cert,
    key,
    minVersion: 'TLSv1.3',
  }
}

/** The same for a connection as it was accepted and for the TLS connection over it. */
function peer({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

function malformed({ code }: NodeJS.ErrnoException): Refusal {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Refusal(408, 'RequestTimeout', 'the request did not come in time')
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Refusal(431, 'HeadersTooLarge', 'target and headers have at most 16 KiB')
  return new Refusal(400, 'RequestMalformed', 'this is not an HTTP/1.1 request')
}
