import type { HostRow } from '../../../protocol/hosts.ts'
import type { RequestRow } from '../../../protocol/requests.ts'
import { hostState, hostStates, type HostState } from '../../ui/host-state.ts'

export interface FleetSummary {
  readonly total: number
  readonly states: Readonly<Record<HostState, number>>
  /** Why hosts are not ready, the most frequent reason first. */
  readonly reasons: readonly { readonly reason: string; readonly count: number }[]
  /** The first hosts that are not ready: the worst states first, then by name. */
  readonly attention: readonly HostRow[]
}

/** `hosts` are in the order of their names. */
export function summarise(hosts: readonly HostRow[], limit: number): FleetSummary {
  const byState = Object.groupBy(hosts, hostState)
  const count = (state: HostState) => byState[state]?.length ?? 0
  const troubled = hostStates.filter((state) => state !== 'Ready').flatMap((state) => byState[state] ?? [])
  const reasons = [...Map.groupBy(troubled, ({ reason }) => reason)]
    .map(([reason, rows]) => ({ reason, count: rows.length }))
    .toSorted((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1))
  return {
    total: hosts.length,
    states: {
      NotReady: count('NotReady'),
      Offline: count('Offline'),
      Unknown: count('Unknown'),
      Ready: count('Ready'),
    },
    reasons: reasons.slice(0, limit),
    attention: troubled.slice(0, limit),
  }
}

/** Those that are under way or wait for a person first, then the newest. */
export function lastRuns(requests: readonly RequestRow[], limit: number): readonly RequestRow[] {
  const isUnderWay = ({ finished }: RequestRow) => (finished ? 1 : 0)
  return requests
    .toSorted((a, b) => isUnderWay(a) - isUnderWay(b) || b.createdAt.localeCompare(a.createdAt))
    .slice(0, limit)
}

export interface FailureReason {
  readonly reason: string
  readonly count: number
  /** Of the newest request that has it. */
  readonly message: string
  readonly request: RequestRow
}

/** Why hosts failed in the newest `requests`, summed up; the most frequent reason first. */
export function failureReasons(
  requests: readonly RequestRow[],
  newest: number,
  limit: number,
): readonly FailureReason[] {
  const sums = new Map<string, FailureReason>()
  for (const request of requests.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt)).slice(0, newest)) {
    for (const { reason, count, message } of request.reasons) {
      const sum = sums.get(reason)
      sums.set(reason, sum === undefined ? { reason, count, message, request } : { ...sum, count: sum.count + count })
    }
  }
  return [...sums.values()].toSorted((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1)).slice(0, limit)
}
