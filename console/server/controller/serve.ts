import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { Route } from '../../protocol/route.ts'
import type { Audit } from '../model/audit.ts'
import type { OpenSession } from '../model/sessions.ts'
import type { CallTrail } from './call-trail.ts'
import { detailOf, objectOf } from './audit-note.ts'
import { callSignal } from './call-signal.ts'
import { inputOf } from './input.ts'
import { ProblemError } from './problem-error.ts'
import type { CallLimits } from './call-limits.ts'
import type { SessionCookie } from './session-cookie.ts'
import { requireOwnPassword, requireSession, type Identify } from './session-guard.ts'

/** Whose call it is. */
export interface Caller {
  /** Name of the account; empty on Public routes without a session. */
  readonly name: string
}

/** What the audit says of the call. Its intent is written before the handler runs, from the route and its input; never put a secret in. */
export interface AuditNote {
  /** What it was about, where that is not in the path or the body. */
  object(text: string): void
  /** What was done, instead of what was asked. */
  detail(value: unknown): void
}

interface Call<R extends Route> {
  readonly params: z.output<R['params']>
  readonly query: z.output<R['query']>
  readonly body: z.output<R['body']>
  readonly caller: Caller
  /** Aborted at the deadline of the call; that of a GET also when nobody waits for the answer any more. */
  readonly signal: AbortSignal
  readonly audit: AuditNote
}

/** Throws ProblemError, or lets errors of the model and KubeErrors through: they are answered as what they are. */
type Handler<R extends Route> = (call: Call<R>) => Promise<AnswerOf<R>>
/** A route without an answer may return nothing at all. */
type AnswerOf<R extends Route> = z.input<R['answer']> | (undefined extends z.input<R['answer']> ? void : never)
type Serve = <R extends Route>(route: R, handler: Handler<R>) => void
export type Controller = (serve: Serve) => void

/** What only the routes of the session itself see. */
export interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly session: OpenSession | undefined
}
export type ServeExchange = <R extends Route>(
  route: R,
  handler: (call: Call<R> & Exchange) => Promise<AnswerOf<R>>,
) => void

export interface Serving {
  readonly identify: Identify
  readonly cookie: SessionCookie
  readonly limits: CallLimits
  readonly audit: Audit
  readonly trail: CallTrail
}

/** What somebody may do whose password is not their own yet. */
const beforeOwnPassword = new Set(['getSession', 'changePassword', 'signOut'])

const publicBodyLimit = 16 * 1_024

/**
 * Makes routes of Fastify from those of the protocol. In this order: session, CSRF token, input, intent into the audit, handler, outcome; what is refused on
 * the way goes to the error handler, which knows from the trail whether an intent waits for its outcome.
 */
export function serveOn(app: FastifyInstance, { identify, cookie, limits, audit, trail }: Serving): ServeExchange {
  return (route, handler) => {
    const isPublic = route.access === 'Public'
    app.route({
      method: route.method,
      url: route.path,
      ...(isPublic ? { bodyLimit: publicBodyLimit } : {}),
      handler: async (request, reply) => {
        const session = await identify(request)
        const caller = { name: session?.account.name ?? '' }
        trail.start(request, { actor: caller.name, address: request.ip, action: route.name })
        if (!isPublic) requireSession(session)
        if (session !== undefined) limits.spendOfAccount(caller.name)
        if (route.method !== 'GET' && !cookie.hasCsrfToken(request)) throw csrfRefused()
        if (!beforeOwnPassword.has(route.name) && !isPublic) requireOwnPassword(session!.account.mustChangePassword)
        const input = inputOf(route, request)
        const note = trail.describe(
          request,
          objectOf(route, actorOf(caller, input), input),
          detailOf(input),
          actorOf(caller, input),
        )
        if (route.method !== 'GET') await trail.begin(request, audit)
        const signal = callSignal(route.method, reply)
        const answer = await handler({ ...input, caller, signal, audit: note, request, reply, session })
        await trail.succeed(request, audit, answer === undefined ? 204 : 200)
        return answer === undefined ? reply.code(204).send() : reply.send(route.answer.parse(answer))
      },
    })
  }
}

/** Of a sign-in, the name that was given. */
function actorOf(caller: Caller, { body }: { readonly body: unknown }): string {
  if (caller.name !== '') return caller.name
  const { name } = (body ?? {}) as { name?: unknown }
  return typeof name === 'string' ? name : ''
}

function csrfRefused(): ProblemError {
  const message = 'the CSRF token is missing or belongs to another session: load the page again'
  return new ProblemError(403, { code: 'CsrfRefused', message })
}
