import { createHmac, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { newToken } from '../model/sessions.ts'

const wellFormed = /^[A-Za-z0-9_-]{43}$/

/**
 * The cookie of a browser, and the CSRF token that belongs to its value. Before the sign-in its value is random and known to nobody else, stored nowhere;
 * the sign-in always replaces it.
 */
export class SessionCookie {
  readonly #name: string
  readonly #secure: boolean
  readonly #secrets: readonly string[]

  /** @param secure the pages are served by https. On plain http (127.0.0.1) a browser takes neither Secure nor the prefix. */
  constructor(secure: boolean, secrets: readonly string[]) {
    this.#secure = secure
    this.#name = secure ? '__Host-keelson' : 'keelson'
    this.#secrets = secrets
  }

  tokenOf(request: FastifyRequest): string | undefined {
    const value = request.cookies[this.#name]
    return value !== undefined && wellFormed.test(value) ? value : undefined
  }

  /** The value that the browser has, or a new one that it gets. */
  ensure(request: FastifyRequest, reply: FastifyReply): string {
    const present = this.tokenOf(request)
    if (present !== undefined) return present
    const token = newToken()
    this.set(reply, token)
    return token
  }

  set(reply: FastifyReply, token: string): void {
    reply.setCookie(this.#name, token, this.#attributes())
  }

  clear(reply: FastifyReply): void {
    reply.clearCookie(this.#name, this.#attributes())
  }

  csrfToken(token: string): string {
    return csrfTokenOf(token, this.#secrets[0]!)
  }

  /** The header says what only a page of our own origin can know. */
  hasCsrfToken(request: FastifyRequest): boolean {
    const token = this.tokenOf(request)
    const given = request.headers['x-csrf-token']
    if (token === undefined || typeof given !== 'string') return false
    return this.#secrets.some((secret) => isEqual(given, csrfTokenOf(token, secret)))
  }

  #attributes() {
    return { path: '/', httpOnly: true, secure: this.#secure, sameSite: 'lax' } as const
  }
}

function csrfTokenOf(token: string, secret: string): string {
  return createHmac('sha256', secret).update('csrf ').update(token).digest('base64url')
}

function isEqual(left: string, right: string): boolean {
  return left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right))
}
