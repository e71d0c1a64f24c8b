import type { KubernetesObject } from '@keelson/kube'

type ManagedFieldsEntry = {
  readonly subresource?: string | undefined
  /** Of the last change by this manager, as the API server saw it. */
  readonly time?: string | undefined
  readonly fieldsV1?: Readonly<Record<string, unknown>> | undefined
}

/** When the object was last changed otherwise than by its status, in milliseconds of the epoch. Never earlier than that in truth, but for whole seconds. */
export function changedAt({ metadata }: KubernetesObject): number {
  return Math.max(time(metadata.creationTimestamp), ...entries(metadata).map((entry) => time(entry.time)))
}

/**
 * When the present spec was written, in milliseconds of the epoch. Of an object that never changed that is its creation, which nobody but the API server
 * writes; else the last time of whoever owns a part of the spec.
 */
export function specWrittenAt({ metadata }: KubernetesObject): number {
  const created = time(metadata.creationTimestamp)
  if (metadata.generation === 1) return created
  const owners = entries(metadata).filter(({ fieldsV1 }) => fieldsV1 !== undefined && 'f:spec' in fieldsV1)
  return Math.max(created, ...owners.map((entry) => time(entry.time)))
}

function entries({ managedFields = [] }: KubernetesObject['metadata']): readonly ManagedFieldsEntry[] {
  return (managedFields as readonly ManagedFieldsEntry[]).filter(({ subresource = '' }) => subresource === '')
}

function time(timestamp: string | undefined): number {
  return Date.parse(timestamp ?? '') || 0
}
