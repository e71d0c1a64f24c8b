import type { ServerResponse } from 'node:http'
import { NotFoundError, systemClock, type Clock } from '@keelson/kube'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { livePath, Topic } from '../../protocol/live.ts'
import type { Gate } from '../service/gate.ts'
import { hostRequestKind } from '../service/kinds.ts'
import type { LiveStore } from '../service/live/live-store.ts'
import { LiveStream } from '../service/live/live-stream.ts'
import { failureText } from '../service/own-call.ts'
import type { PersonClients } from '../service/person-clients.ts'
import { ProblemError } from './problem-error.ts'
import type { SessionGuard } from './session-guard.ts'

export interface LiveDependencies {
  readonly people: PersonClients
  readonly gate: Gate
  readonly store: LiveStore
  readonly clock?: Clock
}

const maxTopics = 16
const maxStreams = 1_000
const maxStreamsOfAccount = 32
/** A reader that takes nothing for this long is gone, or as good as. */
const drainMs = 60_000

const Query = z.strictObject({
  topic: z.union([Topic, z.array(Topic).min(1).max(maxTopics)]),
  since: z.string().max(1_024).optional(),
})

/** The stream of the protocol's live.ts, as a function for createConsole. */
export function liveStream({ people, gate, store, clock = systemClock }: LiveDependencies) {
  // Ids count changes as this process has seen them.
  const epoch = crypto.randomUUID().slice(0, 8)

  return (app: FastifyInstance, session: SessionGuard): void => {
    const places = new Map<string, number>()
    const stopping = new AbortController()
    app.addHook('preClose', async () => stopping.abort())

    app.get(livePath, async (request, reply) => {
      const { topics, since } = inputOf(request.query)
      const header = request.headers['last-event-id']
      const resume = typeof header === 'string' ? header : since
      // A page that takes its stream up again does so by itself: nobody need be there.
      const { name: account } = await session(request, { quiet: resume !== undefined })
      using _ = takePlace(places, account)
      // Headers that hooks have set are sent, but nothing else of the framework: the answer has no end to wait for.
      reply.hijack()
      const { raw } = reply
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) raw.setHeader(name, value)
      raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        // For nginx, which would collect it.
        'x-accel-buffering': 'no',
      })
      using gone = whenGone(raw, stopping.signal)
      const client = () => people.for(account)
      const stream = new LiveStream({
        ...{ account, topics, resume, epoch, store, clock },
        allows: gate.allows.bind(gate, account),
        read: async (namespace, name, signal) =>
          client()
            .get(hostRequestKind, { namespace, name }, signal)
            .catch((error: unknown) => {
              if (error instanceof NotFoundError) return undefined
              throw error
            }),
        write: (text) => write(raw, text, gone.signal),
        signedIn: () => session(request, { quiet: true }),
      })
      try {
        await stream.run(gone.signal)
      } catch (error) {
        if (!gone.signal.aborted) request.log.info({ account, failure: failureText(error) }, 'a live stream ended')
      } finally {
        raw.end()
      }
    })
  }
}

function inputOf(query: unknown): { readonly topics: readonly string[]; readonly since: string | undefined } {
  const result = Query.safeParse(query)
  if (result.success) return { topics: [result.data.topic].flat(), since: result.data.since }
  const message = `query: topic is hosts, requests or request:NAMESPACE/NAME, up to ${maxTopics} times; since is the id of an event`
  throw new ProblemError(400, { code: 'InputInvalid', message })
}

/** @throws ProblemError 429 */
function takePlace(places: Map<string, number>, account: string): Disposable {
  const total = [...places.values()].reduce((sum, count) => sum + count, 0)
  const own = places.get(account) ?? 0
  if (own >= maxStreamsOfAccount || total >= maxStreams) {
    const message = 'too many live streams are open: close some tabs'
    throw new ProblemError(429, { code: 'TooManyStreams', message, retryAfterSeconds: 30 })
  }
  places.set(account, own + 1)
  return {
    [Symbol.dispose]: () => {
      const left = (places.get(account) ?? 1) - 1
      if (left > 0) places.set(account, left)
      else places.delete(account)
    },
  }
}

function whenGone(raw: ServerResponse, stopping: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const gone = new AbortController()
  const abort = (): void => gone.abort()
  raw.once('close', abort)
  stopping.addEventListener('abort', abort, { once: true })
  if (stopping.aborted) abort()
  return { signal: gone.signal, [Symbol.dispose]: () => stopping.removeEventListener('abort', abort) }
}

/** Resolves when the connection has taken what it was given: one event at most waits in memory. */
async function write(raw: ServerResponse, text: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (raw.write(text)) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const late = setTimeout(() => raw.destroy(), drainMs)
  const settle = (): void => resolve()
  raw.once('drain', settle)
  signal.addEventListener('abort', settle, { once: true })
  await promise
  clearTimeout(late)
  raw.off('drain', settle)
  signal.removeEventListener('abort', settle)
  signal.throwIfAborted()
}
