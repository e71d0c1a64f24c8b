import { IndexSet, type HostRequestStatus } from '@keelson/api'
import type { Finish } from '../runs/carry-out.ts'
import type { PauseReason } from '../runs/decide.ts'
import { settled } from '../runs/run-record.ts'
import { failureGroups, type RunView } from './run-view.ts'

/** Why nothing may or can be sent. */
export type Refusal = { readonly reason: string; readonly msg: string }

/** What is said of the group of all failures that have none of their own. */
export const otherMessage = 'other causes'

export type Verdict = {
  readonly state: HostRequestStatus['state']
  /** For programs: the reason of the conditions. */
  readonly reason: string
  readonly msg: string
}

/** What is said of a run, under way or ended. */
export function verdictOf(view: RunView): Verdict {
  const { record, word } = view
  const unsuccessful = record.failed.union(record.unknown)
  // What stopped the run comes before who failed: a long message is cut at its end.
  const parts = [answered(view), ...ending(view), ...unsuccessfulGroups(view), ...skippedGroups(view)]
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
    return [`${pauses[word.reason]}; ${countOf(open)} not sent to yet`]
  }
  if (word === undefined || word.reason === 'Done') return []
  return [`stopped, ${endings[word.reason]}: ${countOf(word.unsent.size)} not sent to`]
}

function unsentOf({ word }: RunView): IndexSet {
  return word?.kind === 'finished' ? word.unsent : IndexSet.empty
}

/** `failed: worker-2 (HTTP 500)`; equal causes once, with up to three hosts, the most frequent first. */
function unsuccessfulGroups(view: RunView): string[] {
  return failureGroups(view).map(({ kind, count, sample }) => {
    const { outcome, message } = kind ?? { outcome: 'failed', message: otherMessage }
    return `${outcome}: ${some(sample, count)} (${message})`
  })
}

/** `skipped: node3 (offline)`. */
export function skippedGroups(view: RunView): string[] {
  const { record, names: targets, notTargeted } = view
  const skipped = [...record.skipped.without(unsentOf(view))].map((index) => targets[index]!)
  const groups = Map.groupBy(skipped, (name) => (notTargeted.has(name) ? 'not targeted' : 'offline'))
  return [...groups].map(([why, group]) => `skipped: ${names(group)} (${why})`)
}

export function names(hosts: readonly string[], shown = 3): string {
  return some(hosts.slice(0, shown), hosts.length)
}

function some(shown: readonly string[], count: number): string {
  const more = count - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '')
}

function countOf(count: number): string {
  return count === 1 ? '1 host' : `${count} hosts`
}
