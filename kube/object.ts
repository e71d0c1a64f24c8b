/**
 * The part of the Kubernetes object model that Keelson uses. Fields that are absent in an answer are absent here; "| undefined" lets types inferred from
 * schemas fit under exactOptionalPropertyTypes. Timestamps are RFC 3339 strings, as on the wire.
 */

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean | undefined
  readonly blockOwnerDeletion?: boolean | undefined
}

export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string | undefined
  readonly uid?: string | undefined
  /** Opaque: compare for equality only. */
  readonly resourceVersion?: string | undefined
  readonly generation?: number | undefined
  readonly creationTimestamp?: string | undefined
  readonly deletionTimestamp?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
  readonly finalizers?: readonly string[] | undefined
  readonly ownerReferences?: readonly OwnerReference[] | undefined
  readonly managedFields?: readonly unknown[] | undefined
}

export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
  readonly lastTransitionTime: string
  readonly observedGeneration?: number | undefined
}

export interface KubernetesObject {
  readonly apiVersion?: string | undefined
  readonly kind?: string | undefined
  readonly metadata: ObjectMeta
}

/** What is sent to create or apply: apiVersion and kind are filled in by the client, anything but metadata may be left out. */
export type Draft<T extends KubernetesObject> = Partial<Omit<T, 'metadata'>> & { readonly metadata: ObjectMeta }

export interface ListMeta {
  readonly resourceVersion: string
  readonly continue?: string | undefined
  readonly remainingItemCount?: number | undefined
}

export interface StatusCause {
  readonly reason?: string | undefined
  readonly message?: string | undefined
  /** Path of the field, as `spec.http.parameters[0].key`. */
  readonly field?: string | undefined
}

/** metav1.Status: the body of nearly every answer that is not a success, and of ERROR events in a watch. */
export interface Status {
  readonly kind: 'Status'
  readonly code?: number | undefined
  readonly reason?: string | undefined
  readonly message?: string | undefined
  readonly details?:
    | { readonly causes?: readonly StatusCause[] | undefined; readonly retryAfterSeconds?: number | undefined }
    | undefined
}

/** Names one object of a kind. */
export interface ObjectName {
  readonly name: string
  readonly namespace?: string | undefined
}

/** `namespace/name`, or `name` for a cluster-scoped object: the key of stores, queues and controllers. */
export function keyOf(object: KubernetesObject): string {
  const { name, namespace } = object.metadata
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`
}

/** The inverse of {@link keyOf}; names hold no slash. */
export function nameOf(key: string): ObjectName {
  const slash = key.indexOf('/')
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

export function isStatus(value: unknown): value is Status {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status'
}
