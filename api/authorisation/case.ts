import type { Answer, Method } from '../admission/api-server.ts'
import { http, type Fields } from '../admission/case.ts'
import { userName, type Person, type Sessions } from './people.ts'

/** What somebody writes, and what the policy must say to it. */
export type AuthorisationCase = {
  readonly title: string
  readonly person: Person
  readonly write: Write
  /** What the policy says, to a request of the namespace; absent: the write is taken. */
  readonly refused?: string | ((namespace: string) => string)
  /** The one of the first hosts that the case is about. */
  readonly slot?: number
}

export type Write = {
  readonly method: Method
  /** Below the collection of HostRequests. */
  readonly path: string
  readonly body?: unknown
  readonly contentType?: string
}

/** Somebody else's request to every host, which is there before anybody writes. */
export const existing = requestOf('existing', { workers: [], http })

export function requestOf(name: string, spec: unknown, metadata: Fields = {}): Fields {
  return { apiVersion: 'keelson.dev/v1alpha1', kind: 'HostRequest', metadata: { name, ...metadata }, spec }
}

export const creation = (spec: unknown): Write => ({ method: 'POST', path: '', body: requestOf('new', spec) })

export const mergePatch = (body: unknown): Write => ({
  method: 'PATCH',
  path: '/existing',
  body,
  contentType: 'application/merge-patch+json',
})

export const jsonPatch = (body: unknown): Write => ({ ...mergePatch(body), contentType: 'application/json-patch+json' })

export const apply = (name: string, spec: unknown): Write => ({
  method: 'PATCH',
  path: `/${name}`,
  body: requestOf(name, spec),
  contentType: 'application/apply-patch+yaml',
})

export const replacement = (spec: unknown, metadata: Fields = {}): Write => ({
  method: 'PUT',
  path: '/existing',
  body: requestOf('existing', spec, metadata),
})

export const may = (person: Person, title: string, write: Write, slot?: number): AuthorisationCase => ({
  title: `${person} may ${title}`,
  person,
  write,
  ...(slot !== undefined && { slot }),
})
export const mayNot = (
  person: Person,
  title: string,
  write: Write,
  refused: NonNullable<AuthorisationCase['refused']>,
  slot?: number,
): AuthorisationCase => ({
  ...may(person, title, write, slot),
  title: `${person} may not ${title}`,
  refused,
})

/** The words of a refusal, by default for a POST to sysctl on the agent's port. */
export function says(
  person: Person,
  where: string,
  { verb = 'update', subresource = 'sysctl', request = 'POST /v1/sysctl on port 7117', why = '' } = {},
): string {
  return `user "${userName(person)}" may not ${verb} hosts/${subresource} on ${where}, as ${request} requires${why}`
}

export const everyHost = (person: Person, right = {}): string =>
  says(person, 'every host', { ...right, why: ' when spec.workers names none' })

/** Tries the write without storing anything; a PUT needs no resourceVersion then: it is read first. */
export async function attempt(sessions: Sessions, collection: string, testCase: AuthorisationCase): Promise<Answer> {
  const { person, write } = testCase
  const session = sessions[person]
  const query = new URLSearchParams({ dryRun: 'All', fieldManager: 'test', force: 'true' })
  if (write.contentType !== 'application/apply-patch+yaml') query.delete('force')
  const body = write.method === 'PUT' ? await current(session, collection, write.body) : write.body
  return session.send(write.method, `${collection}${write.path}?${query.toString()}`, body, write.contentType)
}

async function current(session: Sessions[Person], collection: string, body: unknown): Promise<unknown> {
  const { metadata } = body as { metadata: Fields }
  const found = await session.send('GET', `${collection}/existing`)
  return { ...(body as Fields), metadata: { ...metadata, resourceVersion: found.body.metadata?.resourceVersion } }
}

/** Why the answer is not what the case expects; undefined: it is. */
export function verdict(
  { refused }: AuthorisationCase,
  { status, body }: Answer,
  namespace = 'default',
): string | undefined {
  const text = JSON.stringify(body)
  // Anything else says nothing about rights.
  if (![200, 201, 403, 422].includes(status)) throw new Error(`${status} ${text}`)
  if (refused === undefined) return status < 300 ? undefined : `not taken: ${status} ${text}`
  if (status !== 403 || body.reason !== 'Forbidden') return `not forbidden: ${status} ${text}`
  const words = `denied request: ${typeof refused === 'string' ? refused : refused(namespace)}`
  return body.message?.endsWith(words) === true ? undefined : `other words than ${words}: ${text}`
}
