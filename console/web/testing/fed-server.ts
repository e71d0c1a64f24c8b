import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, resolve, sep } from 'node:path'
import { parseArgs } from 'node:util'
import type { LiveEvent } from '../../protocol/live.ts'
import type { RequestRow } from '../../protocol/requests.ts'
import type { HostRequest } from '@keelson/api'
import type { Permissions } from '../../protocol/permissions.ts'
import type { Me, Session } from '../../protocol/session.ts'
import { fedAccounts, NoSuchAccount } from './fed-accounts.ts'
import { fedDryRun, fedRequest } from './fed-requests.ts'
import { fedHistory, fedHost, fedWorld, type FedWorld } from './fed-world.ts'

export interface FedOptions {
  /** Folder of the built pages. */
  readonly web: string
  readonly hosts?: number
  /** Changes of hosts, a second, in five batches: as the console coalesces them. */
  readonly updatesPerSecond?: number
  readonly port?: number
  /** SignedOut: until somebody signs in, with any name and password. Denied: without any right. Failing: the API server is away. Silent: nothing answers. */
  readonly mood?: 'SignedIn' | 'SignedOut' | 'Bootstrap' | 'MustChangePassword' | 'Denied' | 'Failing' | 'Silent'
  readonly preferences?: Me['preferences']
}

export interface FedServer {
  readonly url: string
  readonly close: () => Promise<void>
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** As strict as the console's own: whatever breaks it breaks here first. */
const contentSecurityPolicy = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'", "font-src 'self'"],
  ...["form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"],
].join('; ')

const batchesPerSecond = 5
const pageSize = 500

class Refused extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** The pages, and the console's protocol answered from memory: for looking at them, and for measuring them without a cluster. */
export async function startFedServer(options: FedOptions): Promise<FedServer> {
  const { hosts = 200, updatesPerSecond = 0, port = 0, mood = 'SignedIn' } = options
  const world = fedWorld(hosts, Date.now())
  const answers = newAnswers(world, mood, options.preferences ?? { language: 'en', theme: 'system', timeZone: '' })
  const streams = new Set<ServerResponse>()
  let eventId = 0

  const send = (stream: ServerResponse, event: LiveEvent, id?: number) =>
    stream.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)

  const openStream = (url: URL, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    for (const topic of url.searchParams.getAll('topic')) {
      if (mood === 'Denied') {
        const message = `User "system:serviceaccount:keelson-users:mei" cannot list resource "${topic}" in API group "keelson.dev"`
        send(response, { type: 'denied', topic, problem: { code: 'Forbidden', message } })
        continue
      }
      const rows = topic === 'hosts' ? world.hosts : topic === 'requests' ? world.requests : whole(world, topic)
      for (let start = 0; start === 0 || start < rows.length; start += pageSize) {
        const last = start + pageSize >= rows.length
        const items = rows.slice(start, start + pageSize)
        send(response, { type: 'snapshot', topic, reset: start === 0, items, last }, last ? ++eventId : undefined)
      }
    }
    if (mood === 'Failing') send(response, { type: 'lag', connected: false, sinceSeconds: 42 })
    streams.add(response)
    response.once('close', () => streams.delete(response))
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://fed')
    const answered = url.pathname.startsWith('/api/') ? api(request, response, url) : file(response, url, options.web)
    answered.catch((error: unknown) => {
      const known = error instanceof Refused || error instanceof NoSuchAccount
      const status = error instanceof Refused ? error.status : known ? 404 : 500
      const code = known ? error.code : 'InternalError'
      const message = error instanceof Error ? error.message : String(error)
      if (!response.headersSent) response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ code, message }))
    })
  })

  async function api(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (mood === 'Silent' && url.pathname !== '/api/session') return
    if (url.pathname === '/api/live') return openStream(url, response)
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
    const answer = answers(request.method ?? 'GET', url, body === '' ? undefined : (JSON.parse(body) as never))
    response.writeHead(answer === undefined ? 204 : 200, { 'content-type': 'application/json' })
    response.end(answer === undefined ? undefined : JSON.stringify(answer))
  }

  const publish = (topic: string, item: RequestRow | HostRequest) => {
    eventId += 1
    for (const stream of streams) send(stream, { type: 'changes', topic, upserts: [item], removals: [] }, eventId)
  }

  const timer =
    updatesPerSecond === 0
      ? undefined
      : setInterval(() => {
          const { hosts: upserts, requests } = world.step(updatesPerSecond / batchesPerSecond)
          eventId += 1
          for (const stream of streams) {
            send(stream, { type: 'changes', topic: 'hosts', upserts: [...upserts], removals: [] }, eventId)
            if (requests.length > 0)
              send(stream, { type: 'changes', topic: 'requests', upserts: [...requests], removals: [] }, eventId)
          }
          for (const row of requests) publish(`request:${row.namespace}/${row.name}`, fedRequest(row, world.hosts))
        }, 1_000 / batchesPerSecond)

  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      clearInterval(timer)
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

async function file(response: ServerResponse, url: URL, web: string): Promise<void> {
  const root = resolve(web)
  const wanted = resolve(join(root, decodeURIComponent(url.pathname)))
  const isFile = wanted.startsWith(root + sep) && contentTypes[extname(wanted)] !== undefined
  const path = isFile ? wanted : join(root, 'index.html')
  const content = await readFile(path)
  response.writeHead(200, {
    'content-type': contentTypes[extname(path)],
    'content-security-policy': contentSecurityPolicy,
  })
  response.end(content)
}

/** The one request that a topic is about, if there is one. */
function whole({ requests, made, hosts }: FedWorld, topic: string): readonly HostRequest[] {
  const key = topic.replace('request:', '')
  const known = made.get(key)
  if (known !== undefined) return [known]
  return requests.filter(({ namespace, name }) => `${namespace}/${name}` === key).map((row) => fedRequest(row, hosts))
}

type Body = Readonly<Record<string, string>> | undefined

function newAnswers(world: FedWorld, mood: FedOptions['mood'], preferences: Me['preferences']) {
  const accounts = fedAccounts(new Date().toISOString())
  let me: Me | undefined = {
    name: 'admin',
    displayName: 'Ada Admin',
    preferences,
    mustChangePassword: mood === 'MustChangePassword',
  }
  if (mood === 'SignedOut' || mood === 'Bootstrap') me = undefined
  const session = (): Session => ({
    ...(me === undefined ? {} : { me }),
    csrfToken: 'fed',
    bootstrapOpen: mood === 'Bootstrap' && me === undefined,
    idleSeconds: 1_800,
  })
  const right = mood !== 'Denied'
  const permissions: Permissions = {
    listHosts: right,
    listRequests: right ? 'All' : [],
    writeRequests: right ? 'All' : [],
    manageAccess: right,
    readAudit: right,
  }
  const signIn = (displayName: string): Session => {
    me = { name: 'admin', displayName, preferences, mustChangePassword: false }
    return session()
  }
  const summary = (id: string, current: boolean, minutes: number) => {
    const time = new Date(Date.now() - minutes * 60_000).toISOString()
    const userAgent = current ? 'Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0' : 'Mozilla/5.0 (Macintosh) Firefox/152.0'
    return {
      id,
      current,
      createdAt: time,
      lastSeenAt: time,
      address: current ? '192.0.2.17' : '198.51.100.4',
      userAgent,
    }
  }

  return (method: string, { pathname, searchParams }: URL, body: Body): unknown => {
    const route = `${method} ${pathname}`
    switch (route) {
      case 'GET /api/session':
        return session()
      case 'POST /api/session':
        if (body?.['password'] === 'wrong')
          throw new Refused(401, 'SignInRefused', 'The name or the password is wrong.')
        return signIn('Ada Admin')
      case 'DELETE /api/session':
        me = undefined
        return undefined
      case 'POST /api/bootstrap':
        return signIn(body?.['displayName'] ?? '')
    }
    if (me === undefined) throw new Refused(401, 'Unauthenticated', 'Nobody is signed in.')
    switch (route) {
      case 'GET /api/permissions':
        return permissions
      case 'PATCH /api/profile': {
        const { displayName = me.displayName, ...rest } = body ?? {}
        me = { ...me, displayName, preferences: { ...me.preferences, ...rest } }
        return me
      }
      case 'POST /api/profile/password':
        if (body?.['current'] === 'wrong') throw new Refused(403, 'WrongPassword', 'The present password is wrong.')
        me = { ...me, mustChangePassword: false }
        return undefined
      case 'GET /api/profile/sessions':
        return { sessions: [summary('a', true, 3), summary('b', false, 600)] }
    }
    if (mood === 'Failing') throw new Refused(502, 'ClusterUnreachable', 'The Kubernetes API server does not answer.')
    if (!right) throw new Refused(403, 'Forbidden', 'User "system:serviceaccount:keelson-users:mei" cannot do this.')
    const host = /^\/api\/hosts\/([^/]+)(\/requests)?$/.exec(pathname)
    if (host !== null) {
      const row = world.hosts.find(({ name }) => name === host[1])
      if (row === undefined) throw new Refused(404, 'NotFound', `hosts.keelson.dev "${host[1]}" not found`)
      return host[2] === undefined ? fedHost(row) : fedHistory(world.requests)
    }
    const request = /^\/api\/requests\/([^/]+\/[^/]+)$/.exec(pathname)
    if (request !== null && method === 'GET') {
      const [found] = whole(world, `request:${request[1]}`)
      if (found === undefined) throw new Refused(404, 'NotFound', `hostrequests.keelson.dev "${request[1]}" not found`)
      return found
    }
    if (route === 'POST /api/requests') {
      const asked = body as unknown as Parameters<typeof fedDryRun>[0]
      const made = fedDryRun(asked, world.hosts, new Date().toISOString())
      world.made.set(`${asked.namespace}/${asked.name}`, made)
      return made
    }
    if (request !== null && method === 'DELETE') {
      world.made.delete(request[1]!)
      return undefined
    }
    if (pathname.startsWith('/api/accounts')) return accounts(method, pathname, body)
    if (route === 'GET /api/audit') {
      const matching = (world.hosts.length === 0 ? [] : world.audit).filter(
        (entry) =>
          (['actor', 'action', 'outcome'] as const).every((key) =>
            [null, entry[key]].includes(searchParams.get(key)),
          ) &&
          entry.object.startsWith(searchParams.get('object') ?? '') &&
          entry.sequence < Number(searchParams.get('before') ?? Number.POSITIVE_INFINITY),
      )
      const limit = Number(searchParams.get('limit') ?? 50)
      return { entries: matching.slice(0, limit), more: matching.length > limit }
    }
    if (method === 'DELETE' && pathname.startsWith('/api/profile/sessions/')) return undefined
    throw new Refused(404, 'NotFound', `nothing at ${pathname}`)
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      web: { type: 'string', default: resolve(import.meta.dirname, '../dist') },
      hosts: { type: 'string', default: '200' },
      updates: { type: 'string', default: '10' },
      port: { type: 'string', default: '8080' },
      mood: { type: 'string', default: 'SignedIn' },
    },
  })
  const { url } = await startFedServer({
    web: values.web,
    hosts: Number(values.hosts),
    updatesPerSecond: Number(values.updates),
    port: Number(values.port),
    mood: values.mood as NonNullable<FedOptions['mood']>,
  })
  process.stdout.write(`${url}\n`)
}
