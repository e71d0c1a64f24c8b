import type { HostRequestStatus } from '@keelson/api'
import { outcomes, outcomeOf, reasonsByHost, type Outcome, type Reason } from './outcome.ts'

/** One target of a run. */
export interface Cell {
  readonly host: string
  readonly outcome: Outcome
  /** From 0; `undefined`: there is one wave, or it is not known. */
  readonly wave: number | undefined
  /** Where the status tells of this host. */
  readonly reason: Reason | undefined
}

/** Every target with what became of it: what needs a person first, then by name. */
export function cellsOf(
  status: HostRequestStatus,
  names: readonly string[],
  waves: readonly number[] | undefined,
): readonly Cell[] {
  const outcome = outcomeOf(status)
  const reasons = reasonsByHost(status)
  const cells = names.map((host, index): Cell => {
    const own = outcome(index)
    const reason = own === 'Failed' || own === 'Unknown' ? reasons.get(host) : undefined
    return { host, outcome: own, wave: waves?.[index], reason }
  })
  // By outcome, and within one as the targets are: by name.
  return outcomes.flatMap((wanted) => cells.filter((cell) => cell.outcome === wanted))
}

export interface CellFilter {
  readonly outcome?: Outcome | undefined
  readonly wave?: number | undefined
  readonly text: string
}

export function shownCells(cells: readonly Cell[], { outcome, wave, text }: CellFilter): readonly Cell[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  return cells.filter(
    (cell) =>
      (outcome === undefined || cell.outcome === outcome) &&
      (wave === undefined || cell.wave === wave) &&
      words.every((word) => `${cell.host} ${cell.reason?.reason ?? ''}`.toLowerCase().includes(word)),
  )
}

/** Outcomes that there are, with how many hosts have each; the order is always the same. */
export function countOutcomes(cells: readonly Cell[]): readonly (readonly [Outcome, number])[] {
  const counts = Map.groupBy(cells, (cell) => cell.outcome)
  return outcomes.flatMap((outcome) => {
    const count = counts.get(outcome)?.length ?? 0
    return count === 0 ? [] : [[outcome, count] as const]
  })
}

/** Names of targets with one of the outcomes, in the order of the targets. */
export function hostsWith(status: HostRequestStatus, names: readonly string[], wanted: readonly Outcome[]): string[] {
  const outcome = outcomeOf(status)
  return names.filter((_, index) => wanted.includes(outcome(index)))
}
