import type { HostRequestStatus } from '@keelson/api'
import type { Finish, Word } from '../runs/carry-out.ts'
import type { PauseReason } from '../runs/decide.ts'
import { IndexSet } from '../runs/index-set.ts'
import { settled, type RunRecord } from '../runs/run-record.ts'
import type { Unsuccessful } from './outcome.ts'

/** Why nothing may or can be sent. */
export type Refusal = { readonly reason: string; readonly msg: string }

export type Verdict = {
  readonly state: HostRequestStatus['state']
  /** For programs: the reason of the conditions. */
  readonly reason: string
  readonly msg: string
}

/** A run as far as it is known: its record, and what this operator knows of single targets. */
export type RunView = {
  readonly names: readonly string[]
  readonly record: RunRecord
  /** Why targets failed or are unknown, by their number. */
  readonly details: ReadonlyMap<number, Unsuccessful>
  /** Named, but of another role or not selected. */
  readonly notTargeted: ReadonlySet<string>
  /** Absent while the run is under way. */
  readonly word?: Word | undefined
}

/** What stands for a target whose own words were told to an operator that has ended. */
const lost: Readonly<Record<'failed' | 'unknown', Unsuccessful>> = {
  failed: { outcome: 'failed', reason: 'Unrecorded', message: 'failed before another operator took over' },
  unknown: { outcome: 'unknown', reason: 'Interrupted', message: 'the operator ended before the answer came' },
}

export function detailOf({ record, details }: RunView, index: number): Unsuccessful {
  const outcome = record.failed.has(index) ? 'failed' : 'unknown'
  return { ...(details.get(index) ?? lost[outcome]), outcome }
}

/** What is said of a run, under way or ended. */
export function verdictOf(view: RunView): Verdict {
  const { record, word } = view
  const unsuccessful = record.failed.union(record.unknown)
  // What stopped the run comes before who failed: a long message is cut at its end.
  const parts = [answered(view), ...ending(view), ...unsuccessfulGroups(view, unsuccessful), ...skippedGroups(view)]
  const msg = parts.join('; ')
  if (word === undefined) return { state: 'RUNNING', reason: 'Running', msg }
  if (word.kind === 'paused') return { state: 'PAUSED', reason: word.reason, msg }
  if (word.reason !== 'Done') return { state: 'ERROR', reason: word.reason, msg }
  if (unsuccessful.size > 0) return { state: 'ERROR', reason: 'HostsFailed', msg }
  if (record.succeeded.size === 0) {
    const why = ['no host to send to', ...skippedGroups(view), 'nothing was sent'].join('; ')
    return { state: 'ERROR', reason: 'NoTargets', msg: why }
  }
  return { state: 'SUCCESS', reason: 'Succeeded', msg }
}

/** Hosts that succeeded, of those that the request is sent to, or would be had the run not been stopped. */
export function progressOf(view: RunView): string {
  const { record, names: targets } = view
  const skipped = record.skipped.without(unsentOf(view))
  return `${record.succeeded.size}/${targets.length - skipped.size}`
}

function answered(view: RunView): string {
  return `${progressOf(view)} hosts answered`
}

const endings: Readonly<Record<Exclude<Finish['reason'], 'Done'>, string>> = {
  WaveFailed: 'a host of the wave failed',
  TooManyFailures: 'more than maxFailures failed',
  DeadlineExceeded: 'activeDeadlineSeconds are over',
}

/** What ends a pause stands where the pause is told. */
const pauses: Readonly<Record<PauseReason, string>> = {
  Suspended: 'suspended',
  WaveFailed: 'paused, a host of the wave failed: set onFailure to Continue to go on or to Stop to end',
  TooManyFailures: 'paused, more than maxFailures failed: raise maxFailures to go on or set onFailure to Stop to end',
}

function ending(view: RunView): string[] {
  const { word, record, names: targets } = view
  if (word?.kind === 'paused') {
    const open = targets.length - settled(record).size
    return [`${pauses[word.reason]}; ${open} hosts not sent to yet`]
  }
  if (word === undefined || word.reason === 'Done') return []
  return [`stopped, ${endings[word.reason]}: ${word.unsent.size} hosts not sent to`]
}

function unsentOf({ word }: RunView): IndexSet {
  return word?.kind === 'finished' ? word.unsent : IndexSet.empty
}

/** `failed: worker-2 (HTTP 500)`; equal causes once, with up to three hosts, the most frequent first. */
function unsuccessfulGroups(view: RunView, unsuccessful: IndexSet): string[] {
  const groups = Map.groupBy(unsuccessful, (index) => {
    const { outcome, message } = detailOf(view, index)
    return `${outcome} ${message}`
  })
  return [...groups.values()]
    .toSorted((a, b) => b.length - a.length)
    .map((group) => {
      const { outcome, message } = detailOf(view, group[0]!)
      return `${outcome}: ${names(group.map((index) => view.names[index]!))} (${message})`
    })
}

/** `skipped: node3 (offline)`. */
function skippedGroups(view: RunView): string[] {
  const { record, names: targets, notTargeted } = view
  const skipped = [...record.skipped.without(unsentOf(view))].map((index) => targets[index]!)
  const groups = Map.groupBy(skipped, (name) => (notTargeted.has(name) ? 'not targeted' : 'offline'))
  return [...groups].map(([why, group]) => `skipped: ${names(group)} (${why})`)
}

export function names(hosts: readonly string[], shown = 3): string {
  const more = hosts.length - shown
  return hosts.slice(0, shown).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
