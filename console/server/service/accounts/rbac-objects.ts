import { kinds, type ClusterRole, type ClusterRoleBinding, type Kind } from '@keelson/kube'
import type { Grant } from '../../../protocol/access.ts'
import { manifestId, manifestsOf } from '../../../protocol/grant-objects.ts'

/** A ClusterRole, a ClusterRoleBinding or a RoleBinding, which looks the same. */
export type RbacObject =
  | { readonly kind: Kind<ClusterRole>; readonly object: ClusterRole }
  | { readonly kind: Kind<ClusterRoleBinding>; readonly object: ClusterRoleBinding }

export function objectsOf(account: string, grant: Grant): readonly RbacObject[] {
  return manifestsOf(account, grant).map((object) =>
    object.kind === 'ClusterRole' ? { kind: kinds.ClusterRole, object } : { kind: kinds[object.kind], object },
  )
}

/** KIND/NAME or KIND/NAMESPACE/NAME. */
export function idOf({ kind, object }: RbacObject): string {
  return manifestId({ kind: kind.kind, metadata: object.metadata })
}
