import type { FastifyRequest } from 'fastify'
import type { OpenSession, Sessions } from '../model/sessions.ts'
import { ProblemError } from './problem-error.ts'
import type { CallTrail } from './call-trail.ts'
import type { Caller } from './serve.ts'
import type { SessionCookie } from './session-cookie.ts'

interface GuardOptions {
  /** True: the look does not keep the session alive. For what a page does by itself, as long as it is open. */
  readonly quiet?: boolean
}

/** Who makes this call, as it is now. @throws ProblemError 401 without a session; 403 while the password must be changed first */
export type SessionGuard = (request: FastifyRequest, options?: GuardOptions) => Promise<Caller>

/** The session that a request belongs to, if it is still open. */
export type Identify = (request: FastifyRequest, options?: GuardOptions) => Promise<OpenSession | undefined>

export function identifyBy(cookie: SessionCookie, sessions: Sessions): Identify {
  return async (request, options) => {
    const token = cookie.tokenOf(request)
    return token === undefined ? undefined : sessions.find(token, options)
  }
}

/** For what is not a typed route. */
export function guardBy(identify: Identify, trail: CallTrail): SessionGuard {
  return async (request, options) => {
    const { account } = requireSession(await identify(request, options))
    trail.start(request, { actor: account.name, address: request.ip, action: request.routeOptions.url ?? '' })
    requireOwnPassword(account.mustChangePassword)
    return { name: account.name }
  }
}

export function requireSession(session: OpenSession | undefined): OpenSession {
  if (session !== undefined) return session
  throw new ProblemError(401, { code: 'SignInRequired', message: 'nobody is signed in, or not any more: sign in' })
}

export function requireOwnPassword(mustChangePassword: boolean): void {
  if (!mustChangePassword) return
  const message = 'somebody else has set your password: change it first'
  throw new ProblemError(403, { code: 'PasswordChangeRequired', message })
}
