import { X509Certificate } from 'node:crypto'
import { systemNamespace, trustBundle } from '@keelson/api'
import { AlreadyExistsError, kinds, NotFoundError, type KubeClient, type Secret } from '@keelson/kube'
import { holdsItsKey, makeRoot, type Root } from './root.ts'
import type { RootSet } from './root-set.ts'

/** Whoever can read it can be any agent and the operator; only the operator's account may. */
export const authoritySecret = { name: 'keelson-agent-ca', namespace: systemNamespace } as const

/** Set on the Secret, to any value, it asks for a new root; the operator takes it away when it has begun. */
const rotateAnnotation = 'keelson.dev/rotate'

/** The Secret is there and is not what an authority needs. It is never overwritten: what was signed by its roots would be lost. */
export class AuthorityUnreadableError extends Error {
  readonly code = 'AuthorityUnreadable'

  constructor(problem: string) {
    super(
      `Secret ${authoritySecret.namespace}/${authoritySecret.name}: ${problem}; restore it from a backup, or delete it to begin with a new root and enrol every host again`,
    )
    this.name = 'AuthorityUnreadableError'
  }
}

export type StoredRoots = { readonly secret: Secret; readonly roots: RootSet; readonly rotationAsked: boolean }

/** The roots in the Secret; undefined where there is none. @throws AuthorityUnreadableError */
export async function readRoots(client: KubeClient, signal: AbortSignal): Promise<StoredRoots | undefined> {
  try {
    return stored(await client.get(kinds.Secret, authoritySecret, signal))
  } catch (error) {
    if (error instanceof NotFoundError) return undefined
    throw error
  }
}

/**
 * The roots in the Secret, which is made where it is missing: with `lost`, the roots that were in it before, or else with a new one. Of two
 * that make it at once, both go on with what the first one wrote.
 */
export async function openRoots(
  client: KubeClient,
  lost: RootSet | undefined,
  now: Date,
  signal: AbortSignal,
): Promise<StoredRoots> {
  const found = await readRoots(client, signal)
  if (found !== undefined) return found
  const roots = lost ?? { current: await makeRoot(now) }
  try {
    return stored(
      await client.create(kinds.Secret, { metadata: authoritySecret, type: 'Opaque', data: encode(roots) }, {}, signal),
    )
  } catch (error) {
    if (error instanceof AlreadyExistsError) return stored(await client.get(kinds.Secret, authoritySecret, signal))
    throw error
  }
}

/** Writes the roots over those that were read, and forgets the wish for a rotation. @throws ConflictError where somebody else wrote meanwhile */
export async function writeRoots(
  client: KubeClient,
  { secret }: StoredRoots,
  roots: RootSet,
  signal: AbortSignal,
): Promise<StoredRoots> {
  const { [rotateAnnotation]: _, ...annotations } = secret.metadata.annotations ?? {}
  const metadata = { ...secret.metadata, annotations }
  return stored(await client.update(kinds.Secret, { ...secret, metadata, data: encode(roots) }, {}, signal))
}

/** Keeps the ConfigMap by which hosts that enrol learn the roots. Nothing is written where it is as it should be. */
export async function publishBundle(client: KubeClient, bundle: string, signal: AbortSignal): Promise<void> {
  const { name, key } = trustBundle
  const metadata = { name, namespace: systemNamespace }
  const present = await client.get(kinds.ConfigMap, metadata, signal).catch((error: unknown) => {
    if (error instanceof NotFoundError) return undefined
    throw error
  })
  if (present?.data?.[key] === bundle) return
  await client.apply(kinds.ConfigMap, { metadata, data: { [key]: bundle } }, { force: true }, signal)
}

const fields = {
  current: ['ca.crt', 'ca.key'],
  next: ['next.crt', 'next.key'],
  previous: ['previous.crt', 'cross.crt'],
} as const

function encode({ current, next, previous }: RootSet): Record<string, string> {
  const texts = {
    [fields.current[0]]: current.certificate,
    [fields.current[1]]: current.key,
    [fields.next[0]]: next?.certificate,
    [fields.next[1]]: next?.key,
    [fields.previous[0]]: previous?.certificate,
    [fields.previous[1]]: previous?.cross,
  }
  const present = Object.entries(texts).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return Object.fromEntries(present.map(([name, text]) => [name, Buffer.from(text).toString('base64')]))
}

function stored(secret: Secret): StoredRoots {
  const pair = ([first, second]: readonly [string, string]): readonly [string, string] | undefined => {
    const [a, b] = [secret.data?.[first], secret.data?.[second]]
    if (a === undefined && b === undefined) return undefined
    if (a === undefined || b === undefined)
      throw new AuthorityUnreadableError(`only one of ${first}, ${second} is there`)
    return [Buffer.from(a, 'base64').toString(), Buffer.from(b, 'base64').toString()]
  }
  const rootOf = (names: readonly [string, string]): Root | undefined => {
    const [certificate, key] = pair(names) ?? []
    if (certificate === undefined || key === undefined) return undefined
    let right = false
    try {
      right = holdsItsKey({ certificate, key })
    } catch {
      // The reason may quote the key.
    }
    if (!right) throw new AuthorityUnreadableError(`${names[0]} and ${names[1]} are not a certificate and its key`)
    return { certificate, key }
  }
  const current = rootOf(fields.current)
  if (current === undefined) throw new AuthorityUnreadableError(`${fields.current.join(' and ')} are missing`)
  const next = rootOf(fields.next)
  const [certificate, cross] = pair(fields.previous) ?? []
  const previous = certificate === undefined || cross === undefined ? undefined : { certificate, cross }
  if (previous !== undefined && ![previous.certificate, previous.cross].every(isCertificate))
    throw new AuthorityUnreadableError(`${fields.previous.join(' and ')} are not certificates`)
  if (next !== undefined && previous !== undefined)
    throw new AuthorityUnreadableError('it holds a next and a previous root: one rotation at a time')
  return {
    secret,
    roots: { current, ...(next ? { next } : {}), ...(previous ? { previous } : {}) },
    rotationAsked: secret.metadata.annotations?.[rotateAnnotation] !== undefined,
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca
  } catch {
    return false
  }
}
