import { KubeError } from './errors.ts'
import type { Kind } from './kinds.ts'
import type { KubernetesObject, ObjectName } from './object.ts'

const namespacePattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
/** Printable ASCII without "/" and "%": what every kind's rule is a part of (RBAC names have colons and capitals), and never a step in a path. */
const namePattern = /^[!-$&-.0-~]{1,253}$/

/**
 * Path of all objects of a kind, in one namespace or in every one.
 *
 * @throws KubeError `NameRefused`
 */
export function collectionPath(kind: Kind<KubernetesObject>, namespace?: string): string {
  const root = kind.apiVersion.includes('/') ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`
  if (namespace === undefined) return `${root}/${kind.plural}`
  if (!kind.namespaced) throw refused(kind, 'is cluster-scoped: leave the namespace out')
  if (!namespacePattern.test(namespace))
    throw refused(kind, `namespace ${JSON.stringify(namespace)} is not a DNS label`)
  return `${root}/namespaces/${namespace}/${kind.plural}`
}

/**
 * Path of one object.
 *
 * @throws KubeError `NameRefused`
 */
export function objectPath(
  kind: Kind<KubernetesObject>,
  { name, namespace }: ObjectName,
  subresource?: 'status' | 'approval' | 'token',
): string {
  if (kind.namespaced && namespace === undefined) throw refused(kind, 'is namespaced: name a namespace')
  if (!namePattern.test(name) || name === '.' || name === '..') {
    throw refused(kind, `name ${JSON.stringify(name)} is not a Kubernetes name`)
  }
  const path = `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`
  return subresource === undefined ? path : `${path}/${subresource}`
}

function refused(kind: Kind<KubernetesObject>, what: string): KubeError {
  return new KubeError({ code: 'NameRefused', message: `${kind.kind} ${what}` })
}
