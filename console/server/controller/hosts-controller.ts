import { getHost, listHostHistory } from '../../protocol/hosts.ts'
import type { Gate } from '../service/gate.ts'
import { historyOf } from '../service/host-history.ts'
import { hostKind } from '../service/kinds.ts'
import type { LiveStore } from '../service/live/live-store.ts'
import { scopeOf } from '../service/live/scope.ts'
import type { PersonClients } from '../service/person-clients.ts'
import { ProblemError } from './problem-error.ts'
import type { Controller } from './serve.ts'

export interface HostsDependencies {
  readonly people: PersonClients
  readonly gate: Gate
  readonly store: LiveStore
}

export function hostsController({ people, gate, store }: HostsDependencies): Controller {
  return (serve) => {
    serve(getHost, async ({ caller, params, signal }) => people.for(caller.name).get(hostKind, params, signal))
    serve(listHostHistory, async ({ caller, params, signal }) => {
      const allows = gate.allows.bind(gate, caller.name)
      await store.synced(signal)
      const scope = await scopeOf('requests', { allows, namespaces: () => store.requestNamespaces() }, signal)
      if (scope.kind === 'None') throw new ProblemError(403, scope.problem)
      return historyOf(params.name, store, scope)
    })
  }
}
