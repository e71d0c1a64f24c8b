import type { HostRequest } from '@keelson/api'
import { useQuery } from '@tanstack/react-query'
import { listTargets } from '../../../../protocol/requests.ts'
import { call } from '../../../call.ts'
import { namesIn } from '../../../run/outcome.ts'

export interface TargetNames {
  /** In the order of their numbers; `undefined`: not here yet, or not to be had. */
  readonly names: readonly string[] | undefined
  readonly error: Error | null
}

/** Names of the targets of the present or last run. They are frozen, so those that lie in a ConfigMap are fetched once a run. */
export function useTargets({ metadata, status }: HostRequest): TargetNames {
  const inStatus = status === undefined ? [] : namesIn(status)
  const params = { namespace: metadata.namespace ?? '', name: metadata.name }
  const { data, error } = useQuery({
    queryKey: ['targets', params.namespace, params.name, status?.run.id ?? '', status?.run.targets.digest ?? ''],
    queryFn: ({ signal }) => call(listTargets, { params }, signal),
    enabled: inStatus === undefined,
    staleTime: Number.POSITIVE_INFINITY,
  })
  // Those of another run have other numbers.
  const fetched = data?.runId === status?.run.id ? data?.names : undefined
  return { names: inStatus ?? fetched, error }
}
