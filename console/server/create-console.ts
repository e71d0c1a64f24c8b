import { randomUUID } from 'node:crypto'
import cookie from '@fastify/cookie'
import { fastify, LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Clock } from './clock.ts'
import type { Configuration } from './config/configuration.ts'
import { answerBadPath, answerProblems } from './controller/answer-problems.ts'
import { CallLimits } from './controller/call-limits.ts'
import { CallTrail } from './controller/call-trail.ts'
import { servePages } from './controller/pages.ts'
import { serveProbes, type Readiness } from './controller/probes.ts'
import { refuseForeignRequests } from './controller/request-origin.ts'
import { sendSecurityHeaders } from './controller/security-headers.ts'
import { serveOn, type Controller } from './controller/serve.ts'
import { SessionCookie } from './controller/session-cookie.ts'
import { serveSession } from './controller/session-controller.ts'
import { guardBy, identifyBy, type SessionGuard } from './controller/session-guard.ts'
import { Accounts } from './model/accounts.ts'
import { Audit } from './model/audit.ts'
import { Bootstrap } from './model/bootstrap.ts'
import type { Database } from './model/database.ts'
import { Sessions } from './model/sessions.ts'

/** What is not a typed route: it answers by itself and asks the guard whose call it is. */
export type Stream = (app: FastifyInstance, session: SessionGuard) => void

export interface ConsoleParts {
  readonly configuration: Configuration
  readonly orm: Database
  readonly controllers: readonly Controller[]
  readonly streams: readonly Stream[]
  /** Folder of the built pages. */
  readonly web: string
  readonly log: FastifyBaseLogger
  readonly clock: Clock
  /** Default: ready as soon as it listens. */
  readonly readiness?: Readiness
}

/** The largest body there is: a HostRequest with 1,024 hosts by name and 64 parameters. */
const bodyLimit = 512 * 1_024

/** Names in paths have up to 253 characters. */
const maxParamLength = 512

/** Time to send a whole request: who takes longer holds a connection for nothing. */
const requestTimeoutMs = 30_000

/** The whole server, not yet listening. Nothing of it asks Kubernetes by itself. */
export async function createConsole(parts: ConsoleParts): Promise<FastifyInstance> {
  const { configuration, orm, controllers, streams, web, log, clock, readiness = async () => undefined } = parts
  const { publicUrl, sessionSecrets, trustedProxies } = configuration
  const secure = publicUrl.protocol === 'https:'
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    bodyLimit,
    requestTimeout: requestTimeoutMs,
    routerOptions: { maxParamLength },
    exposeHeadRoutes: false,
    // Nobody outside names our requests.
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    forceCloseConnections: 'idle',
    frameworkErrors: answerBadPath,
  })
  // A form or a plain text can come from any site, JSON only after a preflight that nobody answers.
  app.removeContentTypeParser('text/plain')

  const audit = new Audit(orm, clock)
  const trail = new CallTrail(log)
  answerProblems(app, audit, trail)

  await sendSecurityHeaders(app, secure)
  refuseForeignRequests(app, publicUrl)
  const limits = new CallLimits(clock)
  app.addHook('onRequest', async (request) => {
    if (request.url.startsWith('/api')) limits.spendOfAddress(request.ip)
  })
  app.addHook('onResponse', async (request, reply) => {
    const fields = { requestId: request.id, method: request.method, route: request.routeOptions.url }
    // Never the URL itself: names that somebody filters by are nobody else's business.
    request.log.debug({ ...fields, status: reply.statusCode, milliseconds: Math.round(reply.elapsedTime) }, 'answered')
  })
  await app.register(cookie)

  const sessionCookie = new SessionCookie(secure, sessionSecrets)
  const times = { idleSeconds: configuration.sessionIdleSeconds, absoluteSeconds: configuration.sessionAbsoluteSeconds }
  const sessions = new Sessions(orm, clock, sessionSecrets, times)
  const identify = identifyBy(sessionCookie, sessions)
  const serve = serveOn(app, { identify, cookie: sessionCookie, limits, audit, trail })
  const accounts = new Accounts(orm, clock)
  const bootstrap = new Bootstrap(orm, clock)
  serveSession(serve, { accounts, sessions, bootstrap, cookie: sessionCookie, limits, configuration })
  for (const controller of controllers) controller(serve)
  const guard = guardBy(identify, trail)
  for (const stream of streams) stream(app, guard)
  serveProbes(app, readiness)
  await servePages(app, web)
  return app
}
