import { group } from '@keelson/api'
import type { Permissions } from '../../protocol/permissions.ts'
import type { Act, Gate } from './gate.ts'
import { maxNamespaces } from './live/scope.ts'
import { usersNamespace } from './users.ts'

type Where = Permissions['listRequests']

/** What an account may do, for pages to show and hide by. */
export async function permissionsOf(
  account: string,
  { gate, namespaces }: { readonly gate: Pick<Gate, 'allows'>; readonly namespaces: readonly string[] },
  signal: AbortSignal,
): Promise<Permissions> {
  const may = async (...acts: Act[]): Promise<boolean> => {
    const answers = await Promise.all(acts.map((act) => gate.allows(account, act, signal)))
    return answers.every(Boolean)
  }
  const where = async (...verbs: string[]): Promise<Where> => {
    const acts = verbs.map((verb) => ({ verb, group, resource: 'hostrequests' }))
    if (await may(...acts)) return 'All'
    const asked = namespaces.slice(0, maxNamespaces)
    const answers = await Promise.all(asked.map((namespace) => may(...acts.map((act) => ({ ...act, namespace })))))
    return asked.filter((_, index) => answers[index])
  }
  const [listHosts, listRequests, writeRequests, manageAccess, readAudit] = await Promise.all([
    may({ verb: 'list', group, resource: 'hosts' }),
    where('list'),
    where('create', 'update'),
    may({ verb: 'create', group: '', resource: 'serviceaccounts', namespace: usersNamespace }),
    may({ verb: 'get', group, resource: 'audits' }),
  ])
  return { listHosts, listRequests, writeRequests, manageAccess, readAudit }
}
