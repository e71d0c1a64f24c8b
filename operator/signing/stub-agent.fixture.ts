import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { TLSSocket } from 'node:tls'
import { operatorIdentities } from '@keelson/api'
import { makeKeys, makeRequest } from './certificate-request.fixture.ts'
import type { AgentEndpoint } from './agent-connection.ts'
import type { Authority } from './authority.ts'
import { x509 } from './x509.ts'

type Files = { readonly ca: string; readonly cert: string; readonly key: string }

/**
 * A stub, not an agent: of an agent's HTTPS server it has mutual TLS and the two paths of trust, on 127.0.0.1, with what a host has on disk in
 * memory.
 */
export class StubAgent implements AsyncDisposable {
  readonly endpoint: AgentEndpoint
  /** Connections of whoever proved who he is. */
  visits = 0
  /** Requests that it was asked for. */
  asked = 0
  /** Answers the next PUT with this instead of doing it. */
  refusal: { readonly code: string; readonly message: string } | undefined
  /** Asks for the certificate of another host. */
  claims: string
  readonly #server: Server
  #files: Files
  #pendingKey = ''

  private constructor(name: string, files: Files, server: Server) {
    this.#files = files
    this.#server = server
    this.claims = name
    const { port } = server.address() as AddressInfo
    this.endpoint = { host: name, address: '127.0.0.1', port }
    server.on('secureConnection', () => (this.visits += 1))
    server.on('request', (request, response) => void this.#serve(request, response))
  }

  /** As a host is after it has enrolled. */
  static async enrol(name: string, authority: Authority, nodeUid?: string): Promise<StubAgent> {
    const keys = await makeKeys()
    const spki = Buffer.from(await crypto.subtle.exportKey('spki', keys.publicKey))
    const { certificate, bundle } = await authority.signAgent({ name, nodeUid }, spki)
    const files = { ca: bundle, cert: certificate, key: await privateKey(keys) }
    const server = createServer({ ...files, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new StubAgent(name, files, server)
  }

  get certificate(): X509Certificate {
    return new X509Certificate(this.#files.cert)
  }

  /** How many roots it trusts. */
  get roots(): number {
    return this.#files.ca.match(/BEGIN CERTIFICATE/g)?.length ?? 0
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body))
    const client = request.socket instanceof TLSSocket ? request.socket.getPeerX509Certificate() : undefined
    if (client?.checkHost(operatorIdentities.control, { subject: 'never' }) === undefined)
      return void answer(403, { code: 'ClientRefused', message: 'not control' })
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const body = JSON.parse(Buffer.concat(chunks).toString()) as { certificate: string; bundle: string }
    switch (`${request.method} ${request.url}`) {
      case 'POST /v1/trust/csr': {
        this.asked += 1
        const keys = await makeKeys()
        this.#pendingKey = await privateKey(keys)
        return void answer(200, { certificateRequest: await makeRequest(this.claims, { keys }) })
      }
      case 'PUT /v1/trust': {
        if (this.refusal !== undefined) return void answer(422, { ...this.refusal, field: 'certificate' })
        this.#files = { ca: body.bundle, cert: body.certificate, key: this.#pendingKey }
        this.#server.setSecureContext({ ...this.#files, minVersion: 'TLSv1.3' })
        return void answer(200, {})
      }
      default:
        return void answer(404, { code: 'TypeUnknown', message: 'no such path' })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }
}

async function privateKey(keys: Awaited<ReturnType<typeof makeKeys>>): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
}
