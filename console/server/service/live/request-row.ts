import { waveEnds, type HostRequest } from '@keelson/api'
import type { RequestRow } from '../../../protocol/requests.ts'

const nobody = { targets: 0, succeeded: 0, failed: 0, unknown: 0, skipped: 0 }

/** A HostRequest as lists show it. */
export function requestRowOf({ metadata, spec, status }: HostRequest): RequestRow {
  const { startTime, finishTime, wave = 0, round = 0 } = status?.run ?? {}
  const counts = status?.counts ?? nobody
  const finished = status?.conditions.find(({ type }) => type === 'Finished')
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid ?? '',
    createdAt: metadata.creationTimestamp ?? '',
    method: spec.http.method,
    port: spec.http.port,
    api: spec.http.api,
    targetType: spec.http.targetType,
    workers: new Set(spec.workers.map(({ name }) => name)).size,
    dryRun: spec.dryRun,
    suspend: spec.suspend,
    state: status?.state ?? 'PENDING',
    // Of another generation: whether what is asked for now has ended is not told yet.
    finished: finished?.status === 'True' && status?.observedGeneration === metadata.generation,
    msg: status?.msg ?? '',
    progress: status?.progress ?? '0/0',
    counts,
    wave,
    waves: waveEnds(Math.max(1, counts.targets), spec.waves).length,
    round,
    ...(startTime === undefined ? {} : { startTime }),
    ...(finishTime === undefined ? {} : { finishTime }),
    reasons: (status?.failureGroups ?? [])
      .slice(0, 3)
      .map(({ reason, count, message }) => ({ reason, count, message })),
  }
}
