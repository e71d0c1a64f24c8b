import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'

export type Answer = { readonly status: number; readonly contentType?: string; readonly body: string }

/** By path. */
export type Routes = Readonly<Record<string, () => Answer | Promise<Answer>>>

export type ListenAddress = {
  /** Undefined: every address of the machine, of IPv4 and IPv6. */
  readonly host: string | undefined
  readonly port: number
}

const maxConnections = 64
const text = 'text/plain; charset=utf-8'

/**
 * A few answers to GET over plain HTTP, for kubelet and Prometheus. It is the operator's one open port and nobody who connects is known: connections, headers and
 * times are bounded, and bodies are not read.
 */
export class HttpServer implements AsyncDisposable {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  /** @throws the error of `listen`, as EADDRINUSE. */
  static async start({ host, port }: ListenAddress, routes: Routes): Promise<HttpServer> {
    const server = createServer(
      {
        ...{ headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 },
        ...{ keepAliveTimeout: 75_000, maxHeaderSize: 8 * 1_024 },
      },
      (request, response) => {
        const { method = '', url = '' } = request
        const route = routes[url.split('?', 1)[0]!]
        // A body would have to be read before the next request.
        if (method !== 'GET' && method !== 'HEAD') {
          response.setHeader('connection', 'close')
          response.setHeader('allow', 'GET, HEAD')
          write(response, { status: 405, body: 'only GET is answered here\n' })
        } else if (route === undefined) write(response, { status: 404, body: 'there is nothing here\n' })
        else void answer(route, response)
      },
    )
    server.maxConnections = maxConnections
    server.timeout = 90_000
    server.listen({ port, ...(host === undefined ? {} : { host }) })
    await once(server, 'listening')
    return new HttpServer(server)
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

async function answer(route: () => Answer | Promise<Answer>, response: ServerResponse): Promise<void> {
  try {
    write(response, await route())
  } catch {
    write(response, { status: 500, body: 'this failed\n' })
  }
}

function write(response: ServerResponse, { status, contentType = text, body }: Answer): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }).end(body)
}
