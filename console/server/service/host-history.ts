import type { HostHistory } from '../../protocol/hosts.ts'
import type { RequestRow } from '../../protocol/requests.ts'
import type { LiveStore, TracedRequest } from './live/live-store.ts'
import { outcomeFor } from './live/run-trace.ts'
import { includes, type Scope } from './live/scope.ts'

const maxRequests = 100

/** The requests that had a host as a target, the newest first, as far as the scope goes. */
export function historyOf(
  name: string,
  store: Pick<LiveStore, 'traces' | 'lists' | 'hostRow'>,
  scope: Scope,
): HostHistory {
  // Of a host that is gone nobody knows the labels; requests that name it tell all the same.
  const host = store.hostRow(name) ?? { name, role: 'Worker', labels: {} }
  const found: (TracedRequest & NonNullable<ReturnType<typeof outcomeFor>>)[] = []
  for (const request of store.traces()) {
    if (!includes(scope, request.key)) continue
    const came = outcomeFor(host, request.trace, store.lists)
    if (came !== undefined) found.push({ ...request, ...came })
  }
  const newest = found.toSorted((a, b) => compare(b.createdAt, a.createdAt) || compare(a.key, b.key))
  return {
    requests: newest
      .slice(0, maxRequests)
      .map(({ row, outcome, reason }) => ({ request: JSON.parse(row) as RequestRow, outcome, reason })),
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
