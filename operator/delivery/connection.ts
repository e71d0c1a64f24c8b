import type { Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import { Client } from 'undici'

/** One connection to one host, with one request at a time. undici speaks HTTP over it; it neither makes connections nor repeats requests. */
export class Connection {
  readonly client: Client
  /** What it was made by; undefined without TLS. */
  readonly context: SecureContext | undefined
  readonly #socket: Socket
  /** The first one of the socket: an alert of TLS comes before the end of the connection, and undici tells of the latter. */
  error: Error | undefined
  /** Requests that it was given. */
  uses = 0
  /** Of performance.now(). */
  idleSince = 0

  constructor(socket: Socket, context: SecureContext | undefined, origin: string, idleMs: number) {
    this.#socket = socket
    this.context = context
    socket.on('error', (error) => {
      this.error ??= error
    })
    let given = false
    this.client = new Client(origin, {
      ...{ pipelining: 1, allowH2: false, headersTimeout: 0, bodyTimeout: 0 },
      ...{ keepAliveTimeout: idleMs, keepAliveMaxTimeout: idleMs },
      connect: (_options, done) => {
        const usable = !given && !socket.destroyed
        given = true
        // Later, as undici expects it of a connection.
        queueMicrotask(() => (usable ? done(null, socket) : done(new Error('the connection is closed'), null)))
      },
    })
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && !this.client.closed && !this.client.destroyed && this.#socket.writable
  }

  /** @param reason what the request in flight, if there is one, fails with */
  close(reason: Error): void {
    if (this.client.destroyed) return
    void this.client.destroy(reason).catch(() => {})
    this.#socket.destroy()
  }

  onClose(listener: () => void): void {
    this.#socket.once('close', listener)
  }
}
