import { once } from 'node:events'
import { createServer, type Server } from 'node:http'

export type ProbeAnswer = { readonly ok: boolean; readonly text: string }

const maxConnections = 16

/** Answers kubelet's probes, `/healthz` and `/readyz`, by plain HTTP; bounded, as nobody who asks is known. */
export class ProbeServer implements AsyncDisposable {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  /** @param host undefined: every address @throws the error of `listen`, as EADDRINUSE */
  static async start(
    { host, port }: { readonly host: string | undefined; readonly port: number },
    probes: Readonly<Record<'/healthz' | '/readyz', () => ProbeAnswer>>,
  ): Promise<ProbeServer> {
    const server = createServer(
      { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000, maxHeaderSize: 8 * 1_024 },
      ({ method, url = '' }, response) => {
        const path = url.split('?', 1)[0]
        const end = (status: number, text: string): void => {
          response.setHeader('connection', 'close')
          response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`)
        }
        if (method !== 'GET' && method !== 'HEAD') end(405, 'only GET is answered here')
        else if (path !== '/healthz' && path !== '/readyz') end(404, 'there is nothing here')
        else {
          const { ok, text } = probes[path]()
          end(ok ? 200 : 503, text)
        }
      },
    )
    server.maxConnections = maxConnections
    server.listen({ port, ...(host === undefined ? {} : { host }) })
    await once(server, 'listening')
    return new ProbeServer(server)
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
