import { createHash } from 'node:crypto'
import { maxTargets, targetListKey, unpackTargetList, type HostRequest, type HostRequestStatus } from '@keelson/api'
import { AlreadyExistsError, defineKind, NotFoundError, type KubeClient, type KubernetesObject } from '@keelson/kube'
import { hostRequestKind } from '../kinds.ts'
import { compress, configMapLimit, digestOf, fitsInline, type FrozenTargets } from '../runs/frozen-targets.ts'
import { runIdOf } from './run-identity.ts'

type ConfigMap = KubernetesObject & {
  readonly immutable?: boolean
  readonly binaryData?: Readonly<Record<string, string>>
}

const configMapKind = defineKind<ConfigMap>({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
})

type Reference = HostRequestStatus['run']['targets']

/** There are more targets than can be written down. */
export class TooManyTargetsError extends Error {
  readonly code = 'TooManyTargets'
}

/** Somebody deleted or replaced the ConfigMap that a run under way needs. */
export class TargetsLostError extends Error {
  readonly code = 'TargetsLost'

  constructor(configMap: string) {
    super(`the targets of the run are lost with the ConfigMap ${configMap}; change runToken to run anew`)
  }
}

/**
 * Writes the targets of a run down: in its status, or where that would be too much, in an immutable ConfigMap that goes with the request.
 *
 * @throws TooManyTargetsError
 */
export async function keepTargets(
  client: KubeClient,
  request: HostRequest,
  names: FrozenTargets,
  signal: AbortSignal,
): Promise<Reference> {
  if (names.length > maxTargets)
    throw new TooManyTargetsError(`${names.length} targets, and a run may have ${maxTargets}; choose fewer`)
  const digest = digestOf(names)
  if (fitsInline(names)) return { names: [...names], digest }
  const bytes = compress(names)
  if (bytes.length > configMapLimit)
    throw new TooManyTargetsError(`${names.length} targets cannot be written down; choose fewer`)
  const { uid = '', namespace, name: requestName } = request.metadata
  // One name for one run and one list: another attempt to begin this run may find other hosts.
  const hash = createHash('sha256')
    .update(`${runIdOf(request)} ${digest}`)
    .digest('hex')
    .slice(0, 32)
  const name = `keelson-targets-${hash}`
  const { apiVersion, kind } = hostRequestKind
  const metadata = {
    name,
    namespace,
    ownerReferences: [{ apiVersion, kind, name: requestName, uid, controller: true }],
  }
  const binaryData = { [targetListKey]: bytes.toString('base64') }
  await client.create(configMapKind, { metadata, immutable: true, binaryData }, {}, signal).catch((error: unknown) => {
    // Left by an attempt to begin this very run with these very targets; that it holds them is checked when they are read.
    if (!(error instanceof AlreadyExistsError)) throw error
  })
  return { configMap: name, digest }
}

/**
 * The inverse of `keepTargets`.
 *
 * @throws TargetsLostError
 */
export async function readTargets(
  client: KubeClient,
  request: HostRequest,
  reference: Reference,
  signal: AbortSignal,
): Promise<FrozenTargets> {
  if (reference.configMap === undefined) return reference.names ?? []
  const { configMap: name } = reference
  const { binaryData } = await client
    .get(configMapKind, { name, namespace: request.metadata.namespace }, signal)
    .catch((error: unknown) => {
      if (error instanceof NotFoundError) throw new TargetsLostError(name)
      throw error
    })
  try {
    return await unpackTargetList(Buffer.from(binaryData?.[targetListKey] ?? '', 'base64'), reference.digest)
  } catch {
    throw new TargetsLostError(name)
  }
}
