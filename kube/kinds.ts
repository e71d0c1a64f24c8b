import { KubeError } from './errors.ts'
import type { KubernetesObject, ObjectMeta } from './object.ts'

declare const objectType: unique symbol

/** A kind as the API server serves it; `T` is the type of its objects. */
export interface Kind<T extends KubernetesObject> {
  /** `v1` or `group/version`. */
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
  readonly [objectType]?: T
}

const versionPattern = /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?v[0-9]+((alpha|beta)[0-9]+)?$/
const pluralPattern = /^[a-z]([a-z0-9-]*[a-z0-9])?$/

/** @throws KubeError `KindRefused` where apiVersion or plural could not be a path segment. */
export function defineKind<T extends KubernetesObject>(kind: {
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
}): Kind<T> {
  if (!versionPattern.test(kind.apiVersion) || !pluralPattern.test(kind.plural)) {
    throw new KubeError({
      code: 'KindRefused',
      message: `kind ${JSON.stringify(kind)}: apiVersion must be "v1" or "group/version", plural a lower-case resource name`,
    })
  }
  return Object.freeze({ ...kind })
}

export interface Node extends KubernetesObject {
  readonly metadata: ObjectMeta
  readonly spec?: { readonly unschedulable?: boolean | undefined } | undefined
  readonly status?:
    | {
        readonly addresses?: readonly { readonly type: string; readonly address: string }[] | undefined
        readonly conditions?: readonly NodeCondition[] | undefined
      }
    | undefined
}

/** Older than metav1.Condition: reason and message may be missing. */
export interface NodeCondition {
  readonly type: string
  readonly status: string
  readonly reason?: string | undefined
  readonly message?: string | undefined
  readonly lastHeartbeatTime?: string | undefined
  readonly lastTransitionTime?: string | undefined
}

/** coordination.k8s.io/v1. Times are RFC 3339 in microseconds and say what a writer's wall clock showed: not to be compared with one's own. */
export interface Lease extends KubernetesObject {
  readonly spec?:
    | {
        readonly holderIdentity?: string | undefined
        readonly leaseDurationSeconds?: number | undefined
        readonly acquireTime?: string | undefined
        readonly renewTime?: string | undefined
        readonly leaseTransitions?: number | undefined
      }
    | undefined
}

/** The built-in kinds that Keelson uses; its own are defined where their types are. */
export const kinds = {
  Node: defineKind<Node>({ apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false }),
  Lease: defineKind<Lease>({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    plural: 'leases',
    namespaced: true,
  }),
} as const
