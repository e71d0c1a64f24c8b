import type { FastifyRequest } from 'fastify'
import {
  bootstrap as bootstrapRoute,
  changePassword,
  endSession,
  getSession,
  listSessions,
  setPreferences,
  signIn,
  signOut,
  type Me,
  type Session,
} from '../../protocol/session.ts'
import type { Configuration } from '../config/configuration.ts'
import type { AccountRecord, Accounts } from '../model/accounts.ts'
import type { Bootstrap } from '../model/bootstrap.ts'
import { PasswordRefused } from '../model/password-rules.ts'
import type { Sessions } from '../model/sessions.ts'
import type { CallLimits } from './call-limits.ts'
import { preferredLanguage } from './preferred-language.ts'
import { ProblemError } from './problem-error.ts'
import type { Exchange, ServeExchange } from './serve.ts'
import type { SessionCookie } from './session-cookie.ts'
import { requireSession } from './session-guard.ts'

export interface SessionParts {
  readonly accounts: Accounts
  readonly sessions: Sessions
  readonly bootstrap: Bootstrap
  readonly cookie: SessionCookie
  readonly limits: CallLimits
  readonly configuration: Pick<Configuration, 'administrator' | 'sessionIdleSeconds'>
}

/** Signing in and out, the first account, and what a person sets for themselves. */
export function serveSession(serve: ServeExchange, parts: SessionParts): void {
  const { accounts, sessions, bootstrap, cookie, limits, configuration } = parts

  async function describe(
    account: AccountRecord | undefined,
    token: string,
    request: FastifyRequest,
  ): Promise<Session> {
    return {
      ...(account === undefined ? {} : { me: meOf(account, request) }),
      csrfToken: cookie.csrfToken(token),
      bootstrapOpen: account === undefined && (await bootstrap.isOpen()),
      idleSeconds: configuration.sessionIdleSeconds,
    }
  }

  /** A new session in place of whatever the browser had: what somebody else knows of that one is worth nothing. */
  async function open(account: AccountRecord, { request, reply, session }: Exchange): Promise<Session> {
    if (session !== undefined) await sessions.end(session.account.name, session.id)
    const userAgent = request.headers['user-agent'] ?? ''
    const token = await sessions.open({ account: account.name, address: request.ip, userAgent })
    cookie.set(reply, token)
    return describe(account, token, request)
  }

  serve(getSession, async ({ request, reply, session }) =>
    describe(session?.account, cookie.ensure(request, reply), request),
  )

  serve(signIn, async ({ body, audit, ...exchange }) => {
    audit.object(`accounts/${body.name}`)
    const refund = limits.spendSignIn(body.name, exchange.request.ip)
    const account = await accounts.verify(body.name, body.password)
    if (account === undefined) {
      const message = 'name or password is wrong, or the account may not sign in'
      throw new ProblemError(401, { code: 'SignInRefused', message })
    }
    refund()
    await accounts.signedIn(account.name)
    return open(account, exchange)
  })

  serve(signOut, async ({ session, reply }) => {
    const { account, id } = requireSession(session)
    await sessions.end(account.name, id)
    cookie.clear(reply)
  })

  serve(bootstrapRoute, async ({ body: { token, displayName, password }, audit, ...exchange }) => {
    const name = configuration.administrator
    audit.object(`accounts/${name}`)
    // Not counted against the account: whoever guesses tokens must not keep it from signing in.
    const refund = limits.spendSignIn(`bootstrap ${name}`, exchange.request.ip)
    if (!(await bootstrap.isGood(token))) {
      const message =
        'the link is used, expired or another one: start the console again, its log has a new one while nobody has an account'
      throw new ProblemError(403, { code: 'BootstrapRefused', message })
    }
    refund()
    // The account itself closes the door: from now on no token is good, should this end before the token is deleted.
    const account = await accounts.create({ name, displayName, password, mustChangePassword: false })
    await bootstrap.spend(token)
    await accounts.signedIn(name)
    return open(account, exchange)
  })

  serve(setPreferences, async ({ caller, body, request }) => {
    if (body.timeZone !== undefined && body.timeZone !== '' && !isTimeZone(body.timeZone)) {
      const message = 'the time zone has no such name: take an IANA name, as Europe/Berlin, or none'
      throw new ProblemError(422, { code: 'TimeZoneUnknown', message, field: 'timeZone' })
    }
    return meOf(await accounts.setPreferences(caller.name, withoutAbsent(body)), request)
  })

  serve(changePassword, async ({ body, session, request, reply }) => {
    const { account } = requireSession(session)
    const refund = limits.spendSignIn(account.name, request.ip)
    if ((await accounts.verify(account.name, body.current)) === undefined) {
      const message = 'the present password is another one'
      throw new ProblemError(403, { code: 'PasswordWrong', message, field: 'current' })
    }
    refund()
    if (body.next === body.current) {
      const message = 'the new password is the present one'
      throw new ProblemError(422, { code: 'PasswordRefused', message, field: 'next' })
    }
    await accounts.setPassword(account.name, body.next, { mustChangePassword: false }).catch((error: unknown) => {
      if (!(error instanceof PasswordRefused)) throw error
      throw new ProblemError(422, { code: error.code, message: error.message, field: 'next' })
    })
    const userAgent = request.headers['user-agent'] ?? ''
    cookie.set(reply, await sessions.open({ account: account.name, address: request.ip, userAgent }))
  })

  serve(listSessions, async ({ caller, session }) => ({
    sessions: (await sessions.list(caller.name)).map(({ id, createdAt, lastSeenAt, address, userAgent }) => ({
      id,
      current: id === session?.id,
      createdAt: createdAt.toISOString(),
      lastSeenAt: lastSeenAt.toISOString(),
      address,
      userAgent,
    })),
  }))

  serve(endSession, async ({ caller, params: { id }, audit }) => {
    audit.object(`accounts/${caller.name}`)
    audit.detail({ session: id })
    if (await sessions.end(caller.name, id)) return
    throw new ProblemError(404, { code: 'SessionNotFound', message: 'this account has no such session' })
  })
}

function meOf({ name, displayName, preferences, mustChangePassword }: AccountRecord, request: FastifyRequest): Me {
  const { language = preferredLanguage(request.headers['accept-language']), theme, timeZone } = preferences
  return { name, displayName, preferences: { language, theme, timeZone }, mustChangePassword }
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

type WithoutAbsent<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> }

function withoutAbsent<T extends object>(fields: T): WithoutAbsent<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as WithoutAbsent<T>
}
