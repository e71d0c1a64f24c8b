import {
  IndexSet,
  matchesSelector,
  targetListDigest,
  targetListKey,
  unpackTargetList,
  type HostRequest,
} from '@keelson/api'
import { defineKind, NotFoundError, type KubeClient, type KubernetesObject } from '@keelson/kube'
import type { HostRow } from '../../protocol/hosts.ts'

type BinaryConfigMap = KubernetesObject & { readonly binaryData?: Readonly<Record<string, string>> }

const configMapKind = defineKind<BinaryConfigMap>({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
})

/** The ConfigMap with the targets of a run is gone, or is another one. */
export class TargetsLostError extends Error {
  readonly code = 'TargetsLost'

  constructor(configMap: string) {
    super(`the targets of the run are lost with the ConfigMap ${configMap}; only their numbers are known`)
    this.name = 'TargetsLostError'
  }
}

export interface TargetSources {
  /** With the rights of whoever asks. */
  readonly client: KubeClient
  /** All hosts where whoever asks may see them, else none. */
  readonly hosts: () => Promise<readonly HostRow[]>
}

/**
 * Names of the targets of the present or last run, by their numbers. Where they are too many for the status they are in a ConfigMap, which few may read. So
 * first it is seen whether they are the hosts that the spec means today: the digest in the status tells.
 *
 * @throws TargetsLostError, and ForbiddenError where the ConfigMap is needed and may not be read
 */
export async function readTargets(
  { metadata, spec, status }: HostRequest,
  { client, hosts }: TargetSources,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { names, configMap, digest } = status?.run.targets ?? { names: [], digest: '' }
  if (names !== undefined) return names
  if (configMap === undefined) return []
  const named = [...new Set(spec.workers.map(({ name }) => name))].toSorted()
  const meant = named.length > 0 ? named : meantBy(spec, await hosts())
  if ((await targetListDigest(meant)) === digest) return meant
  const { namespace } = metadata
  const found = await client.get(configMapKind, { name: configMap, namespace }, signal).catch((error: unknown) => {
    if (error instanceof NotFoundError) throw new TargetsLostError(configMap)
    throw error
  })
  try {
    return await unpackTargetList(Buffer.from(found.binaryData?.[targetListKey] ?? '', 'base64'), digest)
  } catch {
    throw new TargetsLostError(configMap)
  }
}

/** Targets with one of these outcomes, by name. */
export function targetsWith(
  outcomes: readonly ('succeeded' | 'failed' | 'unknown' | 'skipped')[],
  { status }: HostRequest,
  targets: readonly string[],
): string[] {
  const indexes = outcomes.map((outcome) => IndexSet.parse(status?.[outcome] ?? ''))
  return targets.filter((_, index) => indexes.some((set) => set.has(index)))
}

function meantBy({ hostSelector, http }: HostRequest['spec'], hosts: readonly HostRow[]): string[] {
  return hosts
    .filter(({ role }) => http.targetType === 'All' || http.targetType === role)
    .filter(({ labels }) => matchesSelector(hostSelector ?? {}, labels))
    .map(({ name }) => name)
    .toSorted()
}
