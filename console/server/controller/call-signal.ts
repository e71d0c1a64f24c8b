import type { FastifyReply } from 'fastify'
import type { Method } from '../../protocol/route.ts'

/** Of one call, whatever it waits for. */
const deadlineMs = 60_000

/** A change goes on where the browser has gone: broken off halfway nobody would know whether it was made. */
export function callSignal(method: Method, reply: FastifyReply): AbortSignal {
  const deadline = AbortSignal.timeout(deadlineMs)
  if (method !== 'GET') return deadline
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort()
  })
  return AbortSignal.any([deadline, gone.signal])
}
