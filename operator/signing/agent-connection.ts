import type { X509Certificate } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { AgentError } from '@keelson/api'
import { Client } from 'undici'
import type { ClientCertificate } from '../delivery/host-pools.ts'
import { revocation } from '../delivery/revocation.ts'

export type AgentEndpoint = {
  /** Name of the Host; the agent's certificate must bear it. */
  readonly host: string
  /** Of its Node; a certificate of another is refused. */
  readonly nodeUid?: string | undefined
  /** IP address, checked before. */
  readonly address: string
  readonly port: number
}

/** The agent did not do what it was asked to; the message says why, for people. */
export class AgentRefusedError extends Error {
  readonly code = 'AgentRefused'

  constructor(message: string) {
    super(message)
    this.name = 'AgentRefusedError'
  }
}

const connectTimeoutMs = 5_000
const callTimeoutMs = 10_000
const closeTimeoutMs = 1_000
const answerLimit = 64 * 1024

/** One connection to one agent, by mutual TLS. Unlike those of a pool it shows the certificate that the agent proved itself by. */
export class AgentConnection implements AsyncDisposable {
  readonly certificate: X509Certificate
  readonly #client: Client
  readonly #socket: TLSSocket

  private constructor(socket: TLSSocket, certificate: X509Certificate, origin: string) {
    this.certificate = certificate
    this.#socket = socket
    this.#client = new Client(origin, {
      // Later, as undici expects it of a connection; by then it may be lost, and there is no second one.
      connect: (_options, done) =>
        void setImmediate(() =>
          socket.destroyed ? done(new Error('the connection to the agent is lost'), null) : done(null, socket),
        ),
      maxResponseSize: answerLimit,
    })
  }

  /** Rejects with the error of the system or of TLS, DeliveryError `CertificateRevoked`, or the signal's reason. */
  static async open(
    { host, nodeUid, address, port }: AgentEndpoint,
    { ca, certificate: cert, key }: ClientCertificate,
    signal: AbortSignal,
  ): Promise<AgentConnection> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs)])
    const socket = connect({ host: address, port, servername: host, ca, cert, key, minVersion: 'TLSv1.3' })
    try {
      await secured(socket, deadline)
    } catch (error) {
      socket.destroy()
      throw error
    }
    const certificate = socket.getPeerX509Certificate()
    const refusal =
      certificate === undefined
        ? new AgentRefusedError('the agent showed no certificate')
        : revocation(certificate, host, nodeUid)
    if (certificate === undefined || refusal !== undefined) {
      socket.destroy()
      throw refusal
    }
    return new AgentConnection(socket, certificate, `https://${isIPv6(address) ? `[${address}]` : address}:${port}`)
  }

  /** @returns the JSON of a 200 @throws AgentRefusedError on any other answer */
  async call(
    method: 'POST' | 'PUT',
    path: string,
    body: object,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<unknown> {
    const answer = await this.#client.request({
      ...{ method, path, body: JSON.stringify(body), headers: { ...headers, 'content-type': 'application/json' } },
      signal: AbortSignal.any([signal, AbortSignal.timeout(callTimeoutMs)]),
    })
    const text = await answer.body.text()
    if (answer.statusCode === 200) return parse(text)
    const { data } = AgentError.safeParse(parse(text))
    const words = data === undefined ? '' : ` ${data.code}: ${data.message}`
    throw new AgentRefusedError(`${method} ${path}: HTTP ${answer.statusCode}${words}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // In good order: an agent that sees a connection broken off in its handshake takes that for a stranger's.
    this.#socket.setTimeout(closeTimeoutMs, () => this.#socket.destroy())
    this.#socket.end()
    await this.#client.destroy()
  }
}

async function secured(socket: TLSSocket, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const abort = (): void => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  socket.once('secureConnect', resolve)
  socket.on('error', reject)
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
