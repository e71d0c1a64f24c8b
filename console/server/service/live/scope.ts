import { group } from '@keelson/api'
import { ConnectionError, ForbiddenError, nameOf, UnauthorizedError, type KubeError } from '@keelson/kube'
import type { Problem } from '../../../protocol/problem.ts'
import type { Act } from '../gate.ts'
import { namespaceOf } from './live-store.ts'

/** What of a topic a person may see. */
export type Scope =
  | { readonly kind: 'All' }
  | { readonly kind: 'Namespaces'; readonly namespaces: ReadonlySet<string> }
  | { readonly kind: 'None'; readonly problem: Problem }

/** More namespaces than this are not asked about one by one: who looks at so many has the right on all. */
export const maxNamespaces = 256

const everything: Scope = { kind: 'All' }
const subjectPrefix = 'request:'

/** The NAMESPACE/NAME of a topic that is one request. */
export function requestOf(topic: string): string | undefined {
  return topic.startsWith(subjectPrefix) ? topic.slice(subjectPrefix.length) : undefined
}

export interface ScopeQuestions {
  /** Gate.allows for one account. */
  readonly allows: (act: Act, signal: AbortSignal) => Promise<boolean>
  /** Namespaces that hold requests. */
  readonly namespaces: () => readonly string[]
}

/** What the Gate lets that person see of a topic. @throws KubeError where that could not be told now. */
export async function scopeOf(
  topic: string,
  { allows, namespaces }: ScopeQuestions,
  signal: AbortSignal,
): Promise<Scope> {
  try {
    const key = requestOf(topic)
    if (key !== undefined) {
      const act = { verb: 'get', group, resource: 'hostrequests', ...nameOf(key) }
      return (await allows(act, signal)) ? everything : none('see this request')
    }
    const list = { verb: 'list', group, resource: topic === 'hosts' ? 'hosts' : 'hostrequests' }
    if (await allows(list, signal)) return everything
    if (topic === 'hosts') return none('list hosts')
    const asked = namespaces().slice(0, maxNamespaces)
    const answers = await Promise.all(asked.map((namespace) => allows({ ...list, namespace }, signal)))
    const allowed = asked.filter((_, index) => answers[index])
    return allowed.length > 0 ? { kind: 'Namespaces', namespaces: new Set(allowed) } : none('list requests')
  } catch (error) {
    // Not the topic but the person is refused.
    if (error instanceof ForbiddenError || error instanceof UnauthorizedError)
      return { kind: 'None', problem: problemOf(error) }
    throw error
  }
}

export function includes(scope: Scope, key: string): boolean {
  return scope.kind === 'All' || (scope.kind === 'Namespaces' && scope.namespaces.has(namespaceOf(key)))
}

/** Two scopes of a topic show the same rows exactly where their texts are the same. */
export function scopeText(scope: Scope): string {
  if (scope.kind === 'Namespaces') return [...scope.namespaces].toSorted().join()
  return scope.kind === 'None' ? `None ${scope.problem.code}` : scope.kind
}

/** For a check that has not succeeded for long: what was allowed once is not allowed for ever. */
export function uncheckable(error: unknown): Scope {
  const message = 'the API server does not tell who may see this; it is asked again and again'
  return { kind: 'None', problem: { code: error instanceof ConnectionError ? error.code : 'CheckFailed', message } }
}

function none(what: string): Scope {
  const message = `you have no right to ${what}: an administrator can give it`
  return { kind: 'None', problem: { code: 'Forbidden', message, kubernetes: { status: 403, reason: 'Forbidden' } } }
}

/** A refusal by the API server, as readers are told of it. */
export function problemOf({ code, message, status, reason }: KubeError): Problem {
  return { code, message: message.slice(0, 2_048), kubernetes: { status, reason } }
}
