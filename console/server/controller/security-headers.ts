import { randomBytes } from 'node:crypto'
import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyRequest {
    /** Of this answer alone: what may bring a style of its own bears it. */
    cspNonce: string
  }
}

/**
 * On every answer. Scripts only from our own files; the DOM takes text from them through Trusted Types alone; nobody frames us. Styles of components may be
 * inline where they bear the nonce.
 *
 * @param secure the pages are served by https, so browsers are told to stay there
 */
export async function sendSecurityHeaders(app: FastifyInstance, secure: boolean): Promise<void> {
  app.decorateRequest('cspNonce', '')
  app.addHook('onRequest', async (request, reply) => {
    request.cspNonce = randomBytes(16).toString('base64')
    Object.assign(reply.raw, { cspNonce: request.cspNonce })
    // Whoever sits at the same browser next must not find it there; of pages and assets see pages.ts.
    if (request.url.startsWith('/api')) reply.header('cache-control', 'no-store')
  })
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'", (_, reply) => `'nonce-${(reply as { cspNonce?: string }).cspNonce}'`],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        fontSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        requireTrustedTypesFor: ["'script'"],
      },
    },
    strictTransportSecurity: secure ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
  })
}
