import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Audit } from '../model/audit.ts'
import type { CallTrail } from './call-trail.ts'
import { ProblemError } from './problem-error.ts'
import { problemOf } from './problem-of.ts'

/** Whatever goes wrong is answered by a Problem; a denial, and the failure of what was begun, go into the audit first. */
export function answerProblems(app: FastifyInstance, audit: Audit, trail: CallTrail): void {
  app.setErrorHandler(async (error, request, reply) => {
    const problem = problemOf(error)
    const { status, code, retryAfterSeconds } = problem
    const fields = { requestId: request.id, method: request.method, route: request.routeOptions.url, status, code }
    if (status >= 500) request.log.error({ ...fields, err: error }, 'a call failed')
    else request.log.info(fields, 'a call was refused')
    await trail.fail(request, audit, problem)
    if (retryAfterSeconds !== undefined) reply.header('retry-after', String(Math.ceil(retryAfterSeconds)))
    return reply.code(status).send(problem.problem)
  })
  app.setNotFoundHandler(async () => {
    throw new ProblemError(404, { code: 'NotFound', message: 'there is nothing at this path' })
  })
}

/** Of a path that the router cannot read; no hook has run for it. */
export function answerBadPath(error: unknown, _request: FastifyRequest, reply: FastifyReply): void {
  const { status, problem } = problemOf(error)
  void reply
    .code(status)
    .headers({
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none';frame-ancestors 'none'`,
      'x-content-type-options': 'nosniff',
    })
    .send(problem)
}
