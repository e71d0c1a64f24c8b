import { randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSecureContext, type SecureContext } from 'node:tls'
import { agentPort } from '@keelson/api'
import { CertificateAuthority, type KeyPair } from '../pki.ts'
import { members } from './member.ts'
import { answer } from './subprocess.ts'

/**
 * Stands in for thousands of agents, which no machine holds: one listener for all addresses, that shows each host's own certificate, asks for
 * the operator's, and has each Idempotency-Key on disk before it answers. It acts on nothing.
 *
 * Arguments: folder for the keys, number of hosts.
 */
const [, , folder, count] = process.argv
const authority = await CertificateAuthority.create('bench')
const contexts = new Map<string, SecureContext>()
const keys = new Set<string>()
const sockets = new Set<Socket>()
let requests = 0
let connections = 0
let resumed = 0
let firstRequest: bigint | undefined

for (const { name } of members(Number(count))) {
  const { certificate, key } = await authority.issue({ subject: `CN=${name}`, dnsNames: [name], usages: ['server'] })
  contexts.set(name, createSecureContext({ cert: certificate, key, ca: authority.certificate, minVersion: 'TLSv1.3' }))
}

/** Many at once share one fsync, as a database does it: what is measured is not this disk. */
class KeyLog {
  readonly #file = open(join(folder!, 'keys.log'), 'a')
  #waiting: { line: string; done: () => void; failed: (error: unknown) => void }[] = []
  #writing = false

  async add(key: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ line: `${key}\n`, done: resolve, failed: reject })
    void this.#write()
    return promise
  }

  async #write(): Promise<void> {
    if (this.#writing) return
    this.#writing = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        const file = await this.#file
        await file.appendFile(batch.map(({ line }) => line).join(''))
        await file.datasync()
        for (const { done } of batch) done()
      } catch (error) {
        for (const { failed } of batch) failed(error)
      }
    }
    this.#writing = false
  }
}

const log = new KeyLog()
const facts = {
  ...{ protocol: 1, agentVersion: '0.1.0', hostname: 'bench', kernelVersion: '6.1.0', bootID: crypto.randomUUID() },
  ...{
    architecture: 'x86_64',
    os: { id: 'debian', versionID: '13', name: 'Debian GNU/Linux 13' },
    types: { sysctl: 1 },
  },
}
const changed = JSON.stringify({ changed: true, before: { 'vm.swappiness': '60' }, after: { 'vm.swappiness': '10' } })

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  firstRequest ??= process.hrtime.bigint()
  response.setHeader('content-type', 'application/json')
  if (request.method === 'GET') {
    response.end(JSON.stringify(facts))
    return
  }
  requests += 1
  await text(request)
  const key = request.headers['idempotency-key']
  if (typeof key !== 'string') {
    response.writeHead(400).end()
    return
  }
  if (keys.has(key)) response.setHeader('idempotency-replayed', 'true')
  else {
    keys.add(key)
    await log.add(key)
  }
  response.end(changed)
}

let server: Server | undefined

export type Fleet = typeof fleet
const fleet = {
  /** PEM of the root, once all certificates are made. */
  root: async () => authority.certificate,
  client: async (name: string): Promise<KeyPair> =>
    authority.issue({ subject: `CN=${name}`, dnsNames: [name], usages: ['client'] }),
  listen: async () => {
    const first = [...contexts.values()][0]!
    server = createServer(
      {
        SNICallback: (name, done) => done(null, contexts.get(name) ?? first),
        // The root for the operator's certificate is looked up here, whatever the name is.
        ...{ ca: authority.certificate, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' },
        keepAliveTimeout: 600_000,
      },
      (request, response) => void serve(request, response).catch(() => response.destroy()),
    )
    server.on('connection', (socket: Socket) => {
      connections += 1
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    server.on('secureConnection', (socket) => {
      if (socket.isSessionReused()) resumed += 1
    })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', reject).listen({ port: agentPort, host: '0.0.0.0', backlog: 4_096 }, resolve)
    await promise
  },
  /** Closes all connections, as an agent does with those that were idle for its time; their sessions can be resumed. Resolves when all are gone. */
  closeConnections: async () => {
    for (const socket of sockets) socket.end()
    for (let tries = 0; sockets.size > 0; tries += 1) {
      if (tries === 200) throw new Error(`${sockets.size} connections do not close`)
      await sleep(50)
    }
  },
  /** No session of before can be resumed: the next connection of everybody costs a whole handshake. */
  forgetSessions: async () => server?.setTicketKeys(randomBytes(48)),
  /** What came since the last call: writes, connections, those of them that resumed a session, and the time of the first request. */
  take: async () => {
    const taken = { requests, connections, resumed, firstRequest }
    requests = connections = resumed = 0
    firstRequest = undefined
    return taken
  },
}
answer(fleet)
