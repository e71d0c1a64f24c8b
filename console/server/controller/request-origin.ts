import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ProblemError } from './problem-error.ts'

/** By these a proxy in front of the API server says who somebody is; whoever sends them here tries to be somebody else. */
const forbidden = /^(impersonate-|x-remote-)/

/** Nothing here reads them: a session is a cookie. Taken away, so that nothing ever does. */
const dropped = ['authorization', 'proxy-authorization', 'sec-websocket-protocol']

const changes = (method: string) => method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS'

/** Before anything else looks at a request: headers that claim an identity, and changes that another site has a browser ask for. */
export function refuseForeignRequests(app: FastifyInstance, publicUrl: URL): void {
  app.addHook('onRequest', async (request) => {
    refuseHeaders(request)
    if (changes(request.method)) refuseOtherOrigins(request, publicUrl)
  })
}

function refuseHeaders({ headers }: FastifyRequest): void {
  for (const name of Object.keys(headers))
    if (forbidden.test(name))
      throw new ProblemError(400, { code: 'HeaderRefused', message: `the header ${name} is not taken from anybody` })
  for (const name of dropped) delete headers[name]
}

/** A browser says where a request comes from and no page can make it lie; programs say nothing and still need the CSRF token. */
function refuseOtherOrigins({ headers }: FastifyRequest, publicUrl: URL): void {
  const site = headers['sec-fetch-site']
  const { origin } = headers
  const isOurs = (site === undefined || site === 'same-origin') && (origin === undefined || origin === publicUrl.origin)
  if (isOurs) return
  const message = `this came from a page of another origin: open the console at ${publicUrl.origin}`
  throw new ProblemError(403, { code: 'OriginRefused', message })
}
