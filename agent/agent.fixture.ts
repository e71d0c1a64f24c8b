import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request, type Agent } from 'node:https'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Writable } from 'node:stream'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { System, type ResourceType } from '@keelson/engine'
import { pino } from 'pino'
import { clientNames } from './client-identity.ts'
import type { AgentConfig } from './config.ts'
import { AgentServer, type ServerLimits } from './server.ts'
import { readTls } from './trust/tls-material.ts'

export const hostName = 'node1'

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

/** The agent's certificate and the operator's two, as they should be. */
export type Pki<Issuer extends Authority = Authority> = {
  readonly authority: Issuer
  readonly agent: KeyPair
  readonly operator: KeyPair
  readonly control: KeyPair
}

export async function createPki<Issuer extends Authority>(authority: Issuer): Promise<Pki<Issuer>> {
  const agent = await authority.issue({ subject: `CN=${hostName}`, dnsNames: [hostName], usages: ['server'] })
  const client = async (name: string): Promise<KeyPair> =>
    authority.issue({ subject: 'CN=operator', dnsNames: [name], usages: ['client'] })
  return { authority, agent, operator: await client(clientNames.request), control: await client(clientNames.control) }
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
  readonly requireOrder?: boolean
  readonly now?: () => number
}

/** An agent's server on 127.0.0.1 over a folder that stands for its host's root, with its state below that. */
export class RunningAgent implements AsyncDisposable {
  readonly root: string
  readonly config: AgentConfig
  /** What it has logged, line by line. */
  readonly log: Readonly<Record<string, unknown>>[] = []
  readonly #pki: Pki
  readonly #options: StartOptions
  #server: AgentServer | undefined
  #port = 0

  private constructor(root: string, pki: Pki, options: StartOptions) {
    this.root = root
    this.config = {
      name: hostName,
      address: '127.0.0.1',
      port: 7117,
      tls: join(root, 'var/lib/keelson/tls'),
      state: join(root, 'var/lib/keelson'),
      requireOrder: options.requireOrder ?? false,
    }
    this.#pki = pki
    this.#options = options
  }

  static async start(pki: Pki, options: StartOptions = {}): Promise<RunningAgent> {
    const agent = new RunningAgent(await mkdtemp(join(tmpdir(), 'keelson-agent-')), pki, options)
    const { certificate, key } = options.certificate ?? pki.agent
    const folder = '/var/lib/keelson/tls'
    const tls = {
      [`${folder}/ca.crt`]: pki.authority.certificate,
      [`${folder}/tls.crt`]: certificate,
      [`${folder}/tls.key`]: key,
    }
    for (const [path, content] of Object.entries({ ...tls, ...options.files })) {
      await mkdir(dirname(join(agent.root, path)), { recursive: true })
      await writeFile(join(agent.root, path), content)
    }
    await agent.#open()
    return agent
  }

  async #open(): Promise<void> {
    const { certificate, types, limits, now } = this.#options
    const lines = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.log.push(JSON.parse(chunk.toString()) as Record<string, unknown>)
        done()
      },
    })
    // A certificate that the agent itself would not start with is for tests of the client.
    const tls =
      certificate === undefined
        ? await readTls(this.config, new Date(now?.() ?? Date.now()))
        : {
            ca: Buffer.from(this.#pki.authority.certificate),
            cert: Buffer.from(certificate.certificate),
            key: Buffer.from(certificate.key),
          }
    this.#server = await AgentServer.open({
      config: this.config,
      tls,
      system: new System(this.root),
      logger: pino(lines),
      ...(types ? { types } : {}),
      ...(limits ? { limits } : {}),
      ...(now ? { now } : {}),
    })
    this.#port = (await this.#server.listen('127.0.0.1', 0)).port
  }

  get server(): AgentServer {
    if (this.#server === undefined) throw new TypeError('the agent does not run')
    return this.#server
  }

  get port(): number {
    return this.#port
  }

  /** Its end, whatever is in hand, and its next start from what lies on the disk. */
  async restart(): Promise<void> {
    await this.server.close(0)
    await this.#open()
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

  async text(path: string): Promise<string> {
    return readFile(join(this.root, path), 'utf8').catch(() => '')
  }

  /** An executable of the host: a shell script, in which `$root` is the host's root folder. */
  async program(path: string, script: string): Promise<void> {
    await mkdir(dirname(join(this.root, path)), { recursive: true })
    await writeFile(join(this.root, path), `#!/bin/sh\nroot='${this.root}'\n${script}\n`, { mode: 0o755 })
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
    const headers = { 'content-type': 'application/json', ...rest.headers }
    return this.call({ method: 'POST', path: `/v1/${type}`, body: JSON.stringify(body), ...rest, headers })
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
