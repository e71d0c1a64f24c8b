import { IndexSet, matchesSelector, type HostRequest, type LabelSelector } from '@keelson/api'
import type { HostHistory } from '../../../protocol/hosts.ts'
import type { TargetLists } from './target-lists.ts'

type Outcome = HostHistory['requests'][number]['outcome']

/** What of a HostRequest tells whether a host was a target of its run and what came of it; small, since it is kept of every request. */
export interface RunTrace {
  readonly role: 'All' | 'ControlPlane' | 'Worker'
  /** Where there is no list. */
  readonly selector?: LabelSelector | undefined
  /** The names of the targets are in the lists under this. Absent: they are too many to stand in the status. */
  readonly list?: string | undefined
  /** Absent: too much to be kept. */
  readonly sets?: Readonly<Record<'succeeded' | 'failed' | 'unknown' | 'skipped', string>> | undefined
  /** Host and reason, as far as the status tells. */
  readonly reasons: readonly (readonly [host: string, reason: string])[]
}

/** A host as far as requests choose by it. */
export interface TracedHost {
  readonly name: string
  readonly role: 'ControlPlane' | 'Worker'
  readonly labels: Readonly<Record<string, string>>
}

/** In characters; index ranges of a run that failed here and there over a large fleet, and selectors of hundreds of values, are longer. */
const maxTraceLength = 4_096

/** The trace in JSON, or empty where no host was a target. Puts the names of the targets into the lists. */
export function traceOf(request: HostRequest, lists: TargetLists): string {
  const { spec, status } = request
  if (status === undefined || status.counts.targets === 0) return ''
  const { digest } = status.run.targets
  const names = status.run.targets.names ?? namedIn(request)
  if (names !== undefined) lists.put(digest, names)
  const { succeeded, failed, unknown, skipped, failures } = status
  const whom = { role: spec.http.targetType, ...(names === undefined ? {} : { list: digest }) }
  const trace: RunTrace = {
    ...whom,
    ...(names === undefined && spec.hostSelector !== undefined ? { selector: spec.hostSelector } : {}),
    sets: { succeeded, failed, unknown, skipped },
    reasons: failures.map(({ host, reason }) => [host, reason]),
  }
  const json = JSON.stringify(trace)
  return json.length <= maxTraceLength ? json : JSON.stringify({ ...whom, reasons: [] } satisfies RunTrace)
}

/** Whoever is named is a target, if anybody is: the same list, in the same order, as long as the run is of the present spec. */
function namedIn({ metadata, spec, status }: HostRequest): readonly string[] | undefined {
  if (spec.workers.length === 0 || status?.observedGeneration !== metadata.generation) return undefined
  return [...new Set(spec.workers.map(({ name }) => name))].toSorted()
}

/** What came of a run for one host; undefined: it was no target. Untold: it was one, or may have been. */
export function outcomeFor(
  host: TracedHost,
  { role, selector, list, sets, reasons }: RunTrace,
  lists: TargetLists,
): { readonly outcome: Outcome; readonly reason: string } | undefined {
  const untold = { outcome: 'Untold', reason: '' } as const
  const index = list === undefined ? undefined : lists.indexOf(list, host.name)
  if (index === -1) return undefined
  if (index === undefined) {
    const isMeant = (role === 'All' || role === host.role) && matchesSelector(selector ?? {}, host.labels)
    return isMeant ? untold : undefined
  }
  if (sets === undefined) return untold
  const reason = reasons.find(([name]) => name === host.name)?.[1] ?? ''
  const has = (ranges: string) => IndexSet.parse(ranges).has(index)
  if (has(sets.succeeded)) return { outcome: 'Succeeded', reason }
  if (has(sets.failed)) return { outcome: 'Failed', reason }
  if (has(sets.unknown)) return { outcome: 'Unknown', reason }
  if (has(sets.skipped)) return { outcome: 'Skipped', reason }
  return { outcome: 'Pending', reason }
}
