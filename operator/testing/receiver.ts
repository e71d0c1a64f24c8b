import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import { Server as PlainServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'

export type Received = {
  readonly method: string
  readonly url: string
  readonly contentType: string | undefined
  readonly body: string
  readonly idempotencyKey: string | undefined
  /** Epoch and sequence; absent: it bore neither. */
  readonly order?: string
}

export type Answer = (response: ServerResponse, received: Received) => void

export type ReceiverOptions = {
  /** Default 127.0.0.1. */
  readonly address?: string
  /** Default: a free one. */
  readonly port?: number
  /** With it the receiver speaks https. */
  readonly tls?: ServerOptions
  /** Default: 200 and an empty body. */
  readonly answer?: Answer
}

/** A host's HTTP server on a loopback address: remembers what it received, and which connections it has and had. */
export class Receiver implements AsyncDisposable {
  readonly received: Received[] = []
  /** Connections that are open now. */
  readonly open = new Set<Socket>()
  /** Connections that came, ever. */
  accepted = 0
  /** Answers under way whose connection was closed by the other side. */
  abandoned = 0
  answer: Answer
  port = 0
  readonly #server: Server

  private constructor({ tls, answer }: ReceiverOptions) {
    this.answer = answer ?? ((response) => response.end())
    const listener = (request: IncomingMessage, response: ServerResponse) => void this.#receive(request, response)
    this.#server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
    this.#server.on('connection', (socket: Socket) => {
      this.accepted++
      this.open.add(socket)
      socket.on('error', () => undefined).on('close', () => this.open.delete(socket))
    })
  }

  static async start(options: ReceiverOptions = {}): Promise<Receiver> {
    const receiver = new Receiver(options)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    receiver.#server.once('error', reject).listen(options.port ?? 0, options.address ?? '127.0.0.1', resolve)
    await promise
    receiver.port = (receiver.#server.address() as AddressInfo).port
    return receiver
  }

  /** Listens no more, so that the next connection is refused; those that are open stay. */
  refuse(): void {
    // That of HTTP would close the idle ones.
    PlainServer.prototype.close.call(this.#server)
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('close', () => {
      if (!response.writableFinished) this.abandoned++
    })
    const { method = '', url = '', headers } = request
    try {
      const key = headers['idempotency-key']
      const epoch = headers['keelson-epoch']
      const received = {
        ...{ method, url, contentType: headers['content-type'], body: await text(request) },
        idempotencyKey: typeof key === 'string' ? key : undefined,
        ...(epoch === undefined ? {} : { order: `${String(epoch)}/${String(headers['keelson-sequence'])}` }),
      }
      this.received.push(received)
      this.answer(response, received)
    } catch {
      // Cut off within the request.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // That it is closed already is no error here.
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.open) socket.destroy()
    await closed
  }
}
