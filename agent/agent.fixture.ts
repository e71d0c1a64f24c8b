import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request, type Agent } from 'node:https'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Writable } from 'node:stream'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { System, type ResourceType } from '@keelson/engine'
import { pino } from 'pino'
import { AgentServer, type ServerLimits } from './server.ts'

export const hostName = 'node1'
export const clientName = 'request.keelson.dev'

type KeyPair = { readonly certificate: string; readonly key: string }

/** Of the test world's certificate authority, what is needed here. */
export type Authority = {
  readonly certificate: string
  issue(request: {
    readonly subject: string
    readonly dnsNames: readonly string[]
    readonly usages: readonly ('server' | 'client')[]
  }): Promise<KeyPair>
}

/** The agent's certificate and the operator's, as they should be. */
export type Pki<Issuer extends Authority = Authority> = {
  readonly authority: Issuer
  readonly agent: KeyPair
  readonly operator: KeyPair
}

export async function createPki<Issuer extends Authority>(authority: Issuer): Promise<Pki<Issuer>> {
  const agent = await authority.issue({ subject: `CN=${hostName}`, dnsNames: [hostName], usages: ['server'] })
  const operator = await authority.issue({ subject: 'CN=operator', dnsNames: [clientName], usages: ['client'] })
  return { authority, agent, operator }
}

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: unknown }

export type Call = {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Instead of a connection of its own. */
  readonly agent?: Agent
  /** Overrides of how the connection is made: certificate, authority, name … */
  readonly tls?: ConnectionOptions
  readonly signal?: AbortSignal
}

export type StartOptions = {
  readonly certificate?: KeyPair
  readonly types?: ReadonlyMap<string, ResourceType>
  readonly limits?: Partial<ServerLimits>
  readonly files?: Readonly<Record<string, string>>
}

/** An agent's server on 127.0.0.1 over a folder that stands for its host's root. */
export class RunningAgent implements AsyncDisposable {
  readonly server: AgentServer
  readonly root: string
  readonly port: number
  /** What it has logged, line by line. */
  readonly log: readonly Readonly<Record<string, unknown>>[]
  readonly #pki: Pki

  private constructor(server: AgentServer, root: string, port: number, log: RunningAgent['log'], pki: Pki) {
    this.server = server
    this.root = root
    this.port = port
    this.log = log
    this.#pki = pki
  }

  static async start(pki: Pki, options: StartOptions = {}): Promise<RunningAgent> {
    const root = await mkdtemp(join(tmpdir(), 'keelson-agent-'))
    for (const [path, content] of Object.entries(options.files ?? {})) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), content)
    }
    const log: Record<string, unknown>[] = []
    const lines = new Writable({
      write(chunk: Buffer, _encoding, done) {
        log.push(JSON.parse(chunk.toString()) as Record<string, unknown>)
        done()
      },
    })
    const { certificate, key } = options.certificate ?? pki.agent
    const server = new AgentServer({
      tls: { ca: Buffer.from(pki.authority.certificate), cert: Buffer.from(certificate), key: Buffer.from(key) },
      system: new System(root),
      logger: pino(lines),
      ...(options.types ? { types: options.types } : {}),
      ...(options.limits ? { limits: options.limits } : {}),
    })
    const { port } = await server.listen('127.0.0.1', 0)
    return new RunningAgent(server, root, port, log, pki)
  }

  /** How the operator connects: its own certificate, this authority only, the Host's name. */
  get tls(): ConnectionOptions & { readonly host: string; readonly port: number } {
    const { authority, operator } = this.#pki
    return {
      host: '127.0.0.1',
      port: this.port,
      servername: hostName,
      ca: authority.certificate,
      cert: operator.certificate,
      key: operator.key,
      minVersion: 'TLSv1.3',
    }
  }

  async call(call: Call): Promise<Answer> {
    const { method = 'GET', path, headers = {}, body, agent = false, tls = {}, signal } = call
    const outgoing = request({ ...this.tls, ...tls, method, path, headers, agent, ...(signal ? { signal } : {}) })
    outgoing.end(body)
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    const chunks: Buffer[] = []
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
  }

  async post(type: string, body: unknown, rest: Omit<Call, 'path'> = {}): Promise<Answer> {
    const headers = { 'content-type': 'application/json' }
    return this.call({ method: 'POST', path: `/v1/${type}`, headers, body: JSON.stringify(body), ...rest })
  }

  /** A connection on which the test says what it likes. */
  async connect(tls: ConnectionOptions = {}): Promise<TLSSocket> {
    const socket = connect({ ...this.tls, ...tls })
    await once(socket, 'secureConnect')
    return socket
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close(0)
    await rm(this.root, { recursive: true, force: true })
  }
}
