import { createHash } from 'node:crypto'
import { HostRequestSpec, type HostRequest } from '@keelson/api'

/**
 * Fields that steer a run, and do not say what is sent to whom: a changed one holds for the present run, and begins none. So a run can be
 * suspended, and whoever is asked after a failure can answer, without anything being sent twice.
 */
const steering: readonly string[] = [
  'suspend',
  'onFailure',
  'maxFailures',
  'activeDeadlineSeconds',
  'ttlSecondsAfterFinished',
] satisfies readonly (keyof HostRequestSpec)[]

export type RunIdentity = {
  /** Of the run that the object wishes for now. */
  readonly id: string
  readonly specDigest: string
}

/**
 * The run that an object wishes for: the one in its status as long as the spec is the same but for what steers, else a new one, named by
 * the generation that asked for it. Its uid is part of it: the name of an object alone may be another's by now.
 */
export function runIdentityOf({ metadata, spec, status }: HostRequest): RunIdentity {
  const { uid = '', generation = 0 } = metadata
  const specDigest = digestOf(spec)
  const known = status?.run
  if (known?.id.startsWith(`${uid}-`) === true) {
    // An unchanged generation is an unchanged wish, whatever a new version of the CRD fills in and of this code makes of it.
    if (status?.observedGeneration === generation) return { id: known.id, specDigest: known.specDigest }
    if (known.specDigest === specDigest) return { id: known.id, specDigest }
  }
  const token = spec.runToken ? `-${spec.runToken}` : ''
  return { id: `${uid}-${generation}${token}`, specDigest }
}

export function runIdOf(request: HostRequest): string {
  return runIdentityOf(request).id
}

/** A field at its default is no part of the digest, so that one which a later version adds does not change it. */
const defaults = sorted(HostRequestSpec.parse({ workers: [], http: { port: 1, api: '/', method: 'GET' } }))

function digestOf(spec: HostRequestSpec): string {
  const asked = Object.fromEntries(Object.entries(spec).filter(([field]) => !steering.includes(field)))
  const text = JSON.stringify(beyond(sorted(asked), defaults))
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}

/** What of a JSON value is not as in another one; lists are compared as a whole. */
function beyond(value: unknown, other: unknown): unknown {
  if (!isObject(value) || !isObject(other)) return value
  const entries = Object.entries(value).filter(([key, member]) => JSON.stringify(member) !== JSON.stringify(other[key]))
  return Object.fromEntries(entries.map(([key, member]) => [key, beyond(member, other[key])]))
}

/** The same JSON value with the keys of its objects in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
