import type { FastifyInstance } from 'fastify'

/** What is waited for before people are sent here; undefined: nothing. */
export type Readiness = () => Promise<string | undefined>

/** For the kubelet: /healthz says that the process answers, /readyz that it can do its work. They tell nobody anything else. */
export function serveProbes(app: FastifyInstance, readiness: Readiness): void {
  app.get('/healthz', async (_, reply) => reply.type('text/plain').send('ok\n'))
  app.get('/readyz', async (request, reply) => {
    const missing = await readiness().catch((error: unknown) => {
      request.log.warn({ err: error }, 'not ready')
      return 'the database'
    })
    reply.type('text/plain')
    return missing === undefined ? reply.send('ok\n') : reply.code(503).send(`waiting for ${missing}\n`)
  })
}
