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

export interface Pod extends KubernetesObject {
  readonly spec?:
    { readonly nodeName?: string | undefined; readonly serviceAccountName?: string | undefined } | undefined
}

export interface ConfigMap extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>> | undefined
}

export interface Secret extends KubernetesObject {
  readonly type?: string | undefined
  /** Values in base64. */
  readonly data?: Readonly<Record<string, string>> | undefined
}

export interface CertificateSigningRequest extends KubernetesObject {
  readonly spec: {
    /** The PKCS #10 request: base64 of its PEM. */
    readonly request: string
    readonly signerName: string
    readonly usages?: readonly string[] | undefined
    readonly expirationSeconds?: number | undefined
    /** Who made it, as the API server saw him; these four are the server's own, whatever the requester sent. */
    readonly username?: string | undefined
    readonly uid?: string | undefined
    readonly groups?: readonly string[] | undefined
    readonly extra?: Readonly<Record<string, readonly string[]>> | undefined
  }
  readonly status?:
    | {
        readonly conditions?: readonly CertificateSigningRequestCondition[] | undefined
        /** Base64 of the PEM; once set it stays. */
        readonly certificate?: string | undefined
      }
    | undefined
}

/** Approved and Denied exclude each other, and none of these goes away again. */
export interface CertificateSigningRequestCondition {
  readonly type: 'Approved' | 'Denied' | 'Failed'
  readonly status: 'True'
  readonly reason?: string | undefined
  readonly message?: string | undefined
  readonly lastUpdateTime?: string | undefined
  readonly lastTransitionTime?: string | undefined
}

/** authorization.k8s.io/v1: whether a user may do something, as the API server's own authorisers say. Asked by `KubeClient.review`, never stored. */
export interface SubjectAccessReview extends KubernetesObject {
  readonly spec: {
    readonly user: string
    readonly groups?: readonly string[] | undefined
    readonly resourceAttributes: ResourceAttributes
  }
  readonly status?:
    | {
        readonly allowed: boolean
        readonly denied?: boolean | undefined
        readonly reason?: string | undefined
        readonly evaluationError?: string | undefined
      }
    | undefined
}

export interface ResourceAttributes {
  readonly verb: string
  /** Empty for the core group. */
  readonly group: string
  readonly resource: string
  readonly subresource?: string | undefined
  /** All namespaces where absent. */
  readonly namespace?: string | undefined
  /** All names where absent. */
  readonly name?: string | undefined
}

export interface ServiceAccount extends KubernetesObject {
  readonly metadata: ObjectMeta
}

export interface PolicyRule {
  readonly apiGroups?: readonly string[] | undefined
  /** With a subresource as `hosts/sysctl`. */
  readonly resources?: readonly string[] | undefined
  readonly verbs: readonly string[]
  /** Every name where absent or empty. */
  readonly resourceNames?: readonly string[] | undefined
  readonly nonResourceURLs?: readonly string[] | undefined
}

export interface ClusterRole extends KubernetesObject {
  readonly rules?: readonly PolicyRule[] | null | undefined
}

export interface RoleRef {
  readonly apiGroup: 'rbac.authorization.k8s.io'
  readonly kind: 'ClusterRole' | 'Role'
  readonly name: string
}

export interface Subject {
  readonly kind: 'ServiceAccount' | 'User' | 'Group'
  readonly name: string
  /** Of a ServiceAccount. */
  readonly namespace?: string | undefined
  /** Of the others. */
  readonly apiGroup?: string | undefined
}

export interface ClusterRoleBinding extends KubernetesObject {
  /** Never changes. */
  readonly roleRef: RoleRef
  readonly subjects?: readonly Subject[] | undefined
}

/** Its roleRef may be a ClusterRole, too: that one's rights in this namespace. */
export type RoleBinding = ClusterRoleBinding

/** The built-in kinds that Keelson uses; its own are defined where their types are. */
export const kinds = {
  Node: defineKind<Node>({ apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false }),
  Lease: defineKind<Lease>({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    plural: 'leases',
    namespaced: true,
  }),
  Pod: defineKind<Pod>({ apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true }),
  ConfigMap: defineKind<ConfigMap>({ apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true }),
  Secret: defineKind<Secret>({ apiVersion: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true }),
  CertificateSigningRequest: defineKind<CertificateSigningRequest>({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    plural: 'certificatesigningrequests',
    namespaced: false,
  }),
  SubjectAccessReview: defineKind<SubjectAccessReview>({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    plural: 'subjectaccessreviews',
    namespaced: false,
  }),
  ServiceAccount: defineKind<ServiceAccount>({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    plural: 'serviceaccounts',
    namespaced: true,
  }),
  ClusterRole: defineKind<ClusterRole>({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    plural: 'clusterroles',
    namespaced: false,
  }),
  ClusterRoleBinding: defineKind<ClusterRoleBinding>({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    plural: 'clusterrolebindings',
    namespaced: false,
  }),
  RoleBinding: defineKind<RoleBinding>({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    plural: 'rolebindings',
    namespaced: true,
  }),
} as const
