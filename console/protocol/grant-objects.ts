import { hostAreas, type Grant } from './access.ts'
import { accountLabel, prefixOf, usersNamespace } from './account-names.ts'

const group = 'rbac.authorization.k8s.io'

interface Metadata {
  readonly name: string
  readonly namespace?: string
  readonly labels: Readonly<Record<string, string>>
}

interface RoleManifest {
  readonly apiVersion: 'rbac.authorization.k8s.io/v1'
  readonly kind: 'ClusterRole'
  readonly metadata: Metadata
  readonly rules: readonly {
    readonly apiGroups: readonly string[]
    readonly resources: readonly string[]
    readonly resourceNames?: readonly string[]
    readonly verbs: readonly string[]
  }[]
}

interface BindingManifest {
  readonly apiVersion: 'rbac.authorization.k8s.io/v1'
  readonly kind: 'ClusterRoleBinding' | 'RoleBinding'
  readonly metadata: Metadata
  readonly roleRef: {
    readonly apiGroup: 'rbac.authorization.k8s.io'
    readonly kind: 'ClusterRole' | 'Role'
    readonly name: string
  }
  readonly subjects: readonly [
    { readonly kind: 'ServiceAccount'; readonly name: string; readonly namespace: typeof usersNamespace },
  ]
}

export type GrantManifest = RoleManifest | BindingManifest

/**
 * What a grant is in Kubernetes: names are made from what the grant says, so an object either is there or is not, and none is ever changed. Roles come
 * before what binds them.
 */
export function manifestsOf(account: string, grant: Grant): readonly GrantManifest[] {
  switch (grant.kind) {
    case 'Role': {
      const { role, namespaces } = grant
      const name = prefixOf(account) + role
      if (namespaces.length > 0)
        return namespaces.map((namespace) => binding(account, { name, namespace }, 'ClusterRole', role))
      const everywhere = binding(account, { name }, 'ClusterRole', role)
      if (role !== 'keelson-access') return [everywhere]
      // What it may do in keelson-users alone is a Role there.
      return [everywhere, binding(account, { name, namespace: usersNamespace }, 'Role', role)]
    }
    case 'Hosts': {
      const rule = {
        apiGroups: ['keelson.dev'],
        resources: hostAreas.filter((area) => grant.areas.includes(area)).map((area) => `hosts/${area}`),
        ...(grant.hosts.length > 0 && { resourceNames: [...new Set(grant.hosts)].toSorted() }),
        verbs: grant.access === 'Get' ? ['get'] : ['get', 'update'],
      }
      const name = `${prefixOf(account)}hosts-${digestOf(JSON.stringify(rule))}`
      const metadata = { name, labels: { [accountLabel]: account } }
      return [
        { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata, rules: [rule] },
        binding(account, { name }, 'ClusterRole', name),
      ]
    }
  }
}

function binding(
  account: string,
  where: { readonly name: string; readonly namespace?: string },
  roleKind: 'ClusterRole' | 'Role',
  role: string,
): BindingManifest {
  return {
    apiVersion: `${group}/v1`,
    kind: where.namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { ...where, labels: { [accountLabel]: account } },
    roleRef: { apiGroup: group, kind: roleKind, name: role },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: usersNamespace }],
  }
}

/** KIND/NAME or KIND/NAMESPACE/NAME. */
export function manifestId({
  kind,
  metadata: { namespace, name },
}: {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined }
}): string {
  return namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`
}

/** FNV-1a, 64 bits: tells the grants of one account from each other, in a browser too, which has no digest that answers at once. */
function digestOf(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash.toString(16).padStart(16, '0')
}
