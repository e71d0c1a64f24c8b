import { waveEnds, type HostRequest } from '@keelson/api'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { sendingOrder, waveNumbers, type Digest } from '../../../run/waves.ts'
import { useTargets, type TargetNames } from './use-targets.ts'

export interface RunTargets extends TargetNames {
  /** Numbers of the targets in the order in which they are sent to; `undefined`: not worked out yet, or this browser cannot. */
  readonly order: readonly number[] | undefined
  /** The wave of each target, by its number; `undefined` where there is one wave, or the order is not known. */
  readonly waves: readonly number[] | undefined
}

/** Absent where the page came over plain HTTP from another machine. */
const subtle = crypto.subtle as SubtleCrypto | undefined
const digest: Digest | undefined = subtle && ((algorithm, data) => subtle.digest(algorithm, data))

/** The targets of a run, with their waves. */
export function useRunTargets(request: HostRequest): RunTargets {
  const { names, error } = useTargets(request)
  const { spec, status } = request
  const count = status?.counts.targets ?? 0
  const id = status?.run.id ?? ''
  const asked = spec.waves
  const { data: order } = useQuery({
    queryKey: ['sending order', id, count, asked.length],
    queryFn: async () => (await sendingOrder(count, asked.length, id, digest)) ?? null,
    staleTime: Number.POSITIVE_INFINITY,
    enabled: count > 0,
  })
  // The spec of a new run may be another one than that of the run that is shown: lists are compared by what is in them.
  const spelled = JSON.stringify(asked)
  const waves = useMemo(() => {
    if (order === undefined || order === null) return undefined
    const ends = waveEnds(count, JSON.parse(spelled) as HostRequest['spec']['waves'])
    return ends.length > 1 ? waveNumbers(order, ends) : undefined
  }, [order, count, spelled])
  return { names, error, order: order ?? undefined, waves }
}
