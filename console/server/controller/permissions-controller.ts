import { getPermissions } from '../../protocol/permissions.ts'
import type { Gate } from '../service/gate.ts'
import type { LiveStore } from '../service/live/live-store.ts'
import { permissionsOf } from '../service/permissions.ts'
import type { Controller } from './serve.ts'

export interface PermissionsDependencies {
  readonly gate: Gate
  readonly store: LiveStore
}

export function permissionsController({ gate, store }: PermissionsDependencies): Controller {
  return (serve) =>
    serve(getPermissions, async ({ caller, query, signal }) => {
      const asked = query.namespace === undefined ? [] : [query.namespace]
      // The one that was asked about first: there may be more than are asked about.
      const namespaces = [...new Set([...asked, ...store.requestNamespaces()])]
      return permissionsOf(caller.name, { gate, namespaces }, signal)
    })
}
