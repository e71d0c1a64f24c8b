import { createHash } from 'node:crypto'
import { kinds, type ClusterRole, type ClusterRoleBinding, type Kind, type RoleRef } from '@keelson/kube'
import { hostAreas, type Grant } from '../../../protocol/access.ts'
import { accountLabel, prefixOf, usersNamespace } from './names.ts'

/** A ClusterRole, a ClusterRoleBinding or a RoleBinding, which looks the same. */
export type RbacObject =
  | { readonly kind: Kind<ClusterRole>; readonly object: ClusterRole }
  | { readonly kind: Kind<ClusterRoleBinding>; readonly object: ClusterRoleBinding }

/**
 * What a grant is in Kubernetes: names are made from what the grant says, so an object either is there or is not, and none is ever changed. Roles come
 * before what binds them.
 */
export function objectsOf(account: string, grant: Grant): readonly RbacObject[] {
  switch (grant.kind) {
    case 'Role': {
      const { role, namespaces } = grant
      const name = prefixOf(account) + role
      const roleRef = clusterRole(role)
      if (namespaces.length > 0) return namespaces.map((namespace) => roleBinding(account, name, namespace, roleRef))
      const everywhere = clusterRoleBinding(account, name, roleRef)
      if (role !== 'keelson-access') return [everywhere]
      // What it may do in keelson-users alone is a Role there.
      return [everywhere, roleBinding(account, name, usersNamespace, { ...roleRef, kind: 'Role' })]
    }
    case 'Hosts': {
      const rule = {
        apiGroups: ['keelson.dev'],
        resources: hostAreas.filter((area) => grant.areas.includes(area)).map((area) => `hosts/${area}`),
        ...(grant.hosts.length > 0 && { resourceNames: [...new Set(grant.hosts)].toSorted() }),
        verbs: grant.access === 'Get' ? ['get'] : ['get', 'update'],
      }
      const digest = createHash('sha256').update(JSON.stringify(rule)).digest('hex').slice(0, 12)
      const name = `${prefixOf(account)}hosts-${digest}`
      const object = { metadata: { name, labels: { [accountLabel]: account } }, rules: [rule] }
      return [{ kind: kinds.ClusterRole, object }, clusterRoleBinding(account, name, clusterRole(name))]
    }
  }
}

function clusterRole(name: string): RoleRef {
  return { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name }
}

function clusterRoleBinding(account: string, name: string, roleRef: RoleRef): RbacObject {
  return { kind: kinds.ClusterRoleBinding, object: binding(account, { name }, roleRef) }
}

function roleBinding(account: string, name: string, namespace: string, roleRef: RoleRef): RbacObject {
  return { kind: kinds.RoleBinding, object: binding(account, { name, namespace }, roleRef) }
}

function binding(
  account: string,
  where: { readonly name: string; readonly namespace?: string },
  roleRef: RoleRef,
): ClusterRoleBinding {
  return {
    metadata: { ...where, labels: { [accountLabel]: account } },
    roleRef,
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: usersNamespace }],
  }
}

/** KIND/NAME or KIND/NAMESPACE/NAME. */
export function idOf({ kind, object }: RbacObject): string {
  const { namespace, name } = object.metadata
  return [kind.kind, ...(namespace === undefined ? [] : [namespace]), name].join('/')
}
