import { isDeepStrictEqual } from 'node:util'
import { kinds, type ClusterRole, type ClusterRoleBinding, type KubeClient, type Subject } from '@keelson/kube'
import { Grant, hostAreas, roles } from '../../../protocol/access.ts'
import { prefixOf, userNameOf, usersGroup, usersNamespace } from '../../../protocol/account-names.ts'
import { idOf, objectsOf, type RbacObject } from './rbac-objects.ts'

/** What there is of an account in RBAC. */
export interface Standing {
  readonly grants: readonly Grant[]
  /** Bindings that give it rights and make no grant, by {@link idOf}, in order. */
  readonly others: readonly string[]
  /** All whose name says that the console made it for this account. */
  readonly own: readonly RbacObject[]
}

/** How many namespaces one grant names at most. */
const maxNamespaces = 64

/** All roles and bindings of the cluster, sorted by the accounts they are about. */
export class Standings {
  readonly #own = new Map<string, RbacObject[]>()
  readonly #named = new Map<string, RbacObject[]>()
  /** Bindings of the group that every account is in. */
  readonly #common: RbacObject[] = []

  constructor(objects: readonly RbacObject[]) {
    for (const found of objects) {
      const account = ownerOf(found.object.metadata.name)
      if (account !== undefined) append(this.#own, account, found)
      if (!('roleRef' in found.object)) continue
      for (const name of new Set((found.object.subjects ?? []).map(accountOf)))
        if (name === usersGroup) this.#common.push(found)
        else if (name !== undefined) append(this.#named, name, found)
    }
  }

  /** As far as whoever the client is may list them. @throws ForbiddenError */
  static async read(client: KubeClient, signal: AbortSignal): Promise<Standings> {
    const [clusterRoles, clusterRoleBindings, roleBindings] = await Promise.all([
      client.list(kinds.ClusterRole, {}, signal),
      client.list(kinds.ClusterRoleBinding, {}, signal),
      client.list(kinds.RoleBinding, {}, signal),
    ])
    return new Standings([
      ...clusterRoles.items.map((object) => ({ kind: kinds.ClusterRole, object })),
      ...clusterRoleBindings.items.map((object) => ({ kind: kinds.ClusterRoleBinding, object })),
      ...roleBindings.items.map((object) => ({ kind: kinds.RoleBinding, object })),
    ])
  }

  of(account: string): Standing {
    const own = this.#own.get(account) ?? []
    const there = new Map(own.map((found) => [idOf(found), found]))
    const explained = new Set<string>()
    // A grant is there if all is there that makes it, just so; whatever was changed by hand is none.
    const whole = (grant: Grant) => {
      const wanted = objectsOf(account, grant)
      const isWhole = wanted.every((each) => isSame(each, there.get(idOf(each))))
      if (isWhole) for (const each of wanted) explained.add(idOf(each))
      return isWhole
    }
    const grants = merged(own.flatMap(suspectedGrant).filter(whole))
    const others = [...(this.#named.get(account) ?? []), ...this.#common].map(idOf)
    return { grants, others: others.filter((id) => !explained.has(id)).toSorted(), own }
  }
}

/** Whether that object says what it should; what it is called is known. */
export function isSame(wanted: RbacObject, found: RbacObject | undefined): boolean {
  return found !== undefined && isDeepStrictEqual(meaning(wanted.object), meaning(found.object))
}

function meaning(object: ClusterRole | ClusterRoleBinding): unknown {
  if (!('roleRef' in object)) return object.rules ?? []
  const subjects = (object.subjects ?? []).map(({ kind, name, namespace }) => ({ kind, name, namespace }))
  return { roleRef: object.roleRef, subjects }
}

/** The grant that an object of the console may be a part of: it is made anew from that and compared. What the pages cannot show is none. */
function suspectedGrant(found: RbacObject): Grant[] {
  const { success, data } = Grant.safeParse(suspected(found))
  return success ? [data] : []
}

function suspected({ object }: RbacObject): unknown {
  if ('roleRef' in object) {
    const { namespace } = object.metadata
    const { name: role } = object.roleRef
    // Of keelson-access the half that counts for the cluster stands for both.
    if (role === 'keelson-access' && namespace !== undefined) return undefined
    return { kind: 'Role', role, namespaces: namespace === undefined ? [] : [namespace] }
  }
  const [rule] = object.rules ?? []
  const areas = hostAreas.filter((area) => rule?.resources?.includes(`hosts/${area}`))
  return {
    kind: 'Hosts',
    hosts: rule?.resourceNames ?? [],
    areas,
    access: rule?.verbs.includes('update') ? 'Update' : 'Get',
  }
}

/** Role grants of single namespaces become one of many; the order is that of the roles, then of the hosts. */
function merged(grants: readonly Grant[]): Grant[] {
  const named: Grant[] = roles.flatMap((role): Grant[] => {
    const ofRole = grants.filter((grant) => grant.kind === 'Role').filter((grant) => grant.role === role)
    const everywhere = ofRole.filter(({ namespaces }) => namespaces.length === 0)
    const within = ofRole.flatMap(({ namespaces }) => namespaces).toSorted()
    const pages = Array.from({ length: Math.ceil(within.length / maxNamespaces) }, (_, page) =>
      within.slice(page * maxNamespaces, (page + 1) * maxNamespaces),
    )
    return [...everywhere, ...pages.map((namespaces) => ({ kind: 'Role' as const, role, namespaces }))]
  })
  const hosts = grants.filter((grant) => grant.kind === 'Hosts')
  return [...named, ...hosts.toSorted((one, other) => (keyOfHosts(one) < keyOfHosts(other) ? -1 : 1))]
}

function keyOfHosts({ hosts, areas, access }: Grant & { kind: 'Hosts' }): string {
  return JSON.stringify([hosts, areas, access])
}

/** The account whose name the name of an object begins with. */
function ownerOf(name: string): string | undefined {
  const [, account] = name.split(':', 2)
  return account !== undefined && name.startsWith(prefixOf(account)) ? account : undefined
}

/** Name of the account that a subject is, or the group of all of them. */
function accountOf({ kind, namespace, name }: Subject): string | undefined {
  switch (kind) {
    case 'ServiceAccount':
      return namespace === usersNamespace ? name : undefined
    case 'User': {
      const beginning = userNameOf('')
      return name.startsWith(beginning) ? name.slice(beginning.length) : undefined
    }
    case 'Group':
      return name === usersGroup ? usersGroup : undefined
  }
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}
