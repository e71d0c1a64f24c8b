import { AlreadyExistsError, NotFoundError, type KubeClient } from '@keelson/kube'
import type { Grant } from '../../../protocol/access.ts'
import { idOf, objectsOf, type RbacObject } from './rbac-objects.ts'
import { isSame, type Standing } from './standing.ts'

/**
 * Whether Kubernetes lets this client give these grants: it judges each object and writes none.
 *
 * @throws ForbiddenError with the words of the API server, which names the rights that the giver lacks; NotFoundError for a namespace
 */
export async function tryGrants(
  client: KubeClient,
  account: string,
  grants: readonly Grant[],
  standing: Standing,
  signal: AbortSignal,
): Promise<void> {
  const missing = missingOf(account, grants, standing)
  const made = new Set(
    missing
      .map(({ object }) => object)
      .filter(isRole)
      .map(({ metadata }) => metadata.name),
  )
  for (const each of missing) {
    // A role that is not there yet cannot be bound; it has been judged itself, and binding it takes no more than making it.
    const { object } = each
    if ('roleRef' in object && made.has(object.roleRef.name)) continue
    await unlessThere(create(client, each, { dryRun: true }, signal))
  }
}

/**
 * Makes what is missing of these grants, then takes away what the console made for the account and they do not hold. Safe to repeat after it broke off.
 *
 * @throws as {@link tryGrants}
 */
export async function makeGrants(
  client: KubeClient,
  account: string,
  grants: readonly Grant[],
  standing: Standing,
  signal: AbortSignal,
): Promise<void> {
  const wanted = new Set(grants.flatMap((grant) => objectsOf(account, grant)).map(idOf))
  const missing = missingOf(account, grants, standing)
  const own = new Set(standing.own.map(idOf))
  for (const each of missing) {
    // Its name is right and what it says is not; a binding cannot be bound to another role, so it is made anew.
    if (own.has(idOf(each))) await remove(client, each, signal)
    await unlessThere(create(client, each, {}, signal))
  }
  const surplus = standing.own.filter((each) => !wanted.has(idOf(each)))
  // Bindings first: a right is gone before the role that tells what it was.
  const ordered = surplus.toSorted((one, other) => Number(isRole(one.object)) - Number(isRole(other.object)))
  for (const each of ordered) await remove(client, each, signal)
}

function missingOf(account: string, grants: readonly Grant[], { own }: Standing): readonly RbacObject[] {
  const there = new Map(own.map((found) => [idOf(found), found]))
  const wanted = new Map(grants.flatMap((grant) => objectsOf(account, grant)).map((each) => [idOf(each), each]))
  return [...wanted.values()].filter((each) => !isSame(each, there.get(idOf(each))))
}

function isRole(object: RbacObject['object']): boolean {
  return !('roleRef' in object)
}

async function create(
  client: KubeClient,
  { kind, object }: RbacObject,
  options: { readonly dryRun?: boolean },
  signal: AbortSignal,
): Promise<unknown> {
  return client.create(kind, object, options, signal)
}

async function remove(client: KubeClient, { kind, object }: RbacObject, signal: AbortSignal): Promise<void> {
  await unlessGone(client.delete(kind, object.metadata, {}, signal))
}

/** Somebody else was faster. */
async function unlessThere(attempt: Promise<unknown>): Promise<void> {
  await attempt.catch((error: unknown) => {
    if (!(error instanceof AlreadyExistsError)) throw error
  })
}

export async function unlessGone(attempt: Promise<unknown>): Promise<void> {
  await attempt.catch((error: unknown) => {
    if (!(error instanceof NotFoundError)) throw error
  })
}
