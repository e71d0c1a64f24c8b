import { HostRequest } from '@keelson/api'
import { z } from 'zod'
import { HostRow } from './hosts.ts'
import { Problem } from './problem.ts'
import { RequestRow } from './requests.ts'

/**
 * GET /api/live?topic=hosts&topic=requests&topic=request:NAMESPACE/NAME: server-sent events, one stream a tab, of at most 16 topics. An event's name is its
 * type below, its data one object of these, in JSON. First comes each topic's snapshot, in pages of at most 500. Afterwards changes come coalesced, at most
 * five times a second. Each of these events bears an id: what the reader has once he has applied it. After 15 s of silence comes a `lag` with `connected`: a page that hears nothing for longer is cut off.
 *
 * Resume: with Last-Event-ID (an EventSource sends it by itself) or `since=ID` the stream begins with what has changed since, for every topic that the id
 * covers. A topic that it does not cover, because it was not asked for, not complete or to be seen with other rights, begins with a snapshot, whose first
 * page says `reset`; so does everything after an id that the server does not know. So the last id may be sent always.
 */
export const livePath = '/api/live'

export const Topic = z.union([
  z.literal('hosts'),
  z.literal('requests'),
  z
    .string()
    .max(400)
    .regex(/^request:[a-z0-9-]+\/[a-z0-9.-]+$/),
])
export type Topic = z.infer<typeof Topic>

const rows = {
  hosts: HostRow,
  requests: RequestRow,
  request: HostRequest,
} as const

/** Keys are names of hosts, NAMESPACE/NAME of requests. */
const removals = z.array(z.string())

export const LiveEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('snapshot'),
    topic: Topic,
    reset: z.boolean().describe('True on the first page: forget what was held of the topic.'),
    items: z.array(z.union([rows.hosts, rows.requests, rows.request])),
    last: z.boolean(),
  }),
  z.object({
    type: z.literal('changes'),
    topic: Topic,
    upserts: z.array(z.union([rows.hosts, rows.requests, rows.request])),
    removals,
  }),
  z.object({
    type: z.literal('denied'),
    topic: Topic,
    problem: Problem.describe(
      'The right to this topic is missing, or was taken away: forget what was held of it. If it is given again, a snapshot comes.',
    ),
  }),
  z.object({
    type: z.literal('lag'),
    connected: z.boolean().describe('False: the console has lost the API server; what is shown is old.'),
    sinceSeconds: z.number(),
  }),
])
export type LiveEvent = z.infer<typeof LiveEvent>
