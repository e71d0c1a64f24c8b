import { IndexSet, type HostRequestStatus } from '@keelson/api'
import type { RunRecord } from './run-record.ts'

/** The part of a HostRequest's status that is the record of its run. */
export type StatusRecord = Pick<HostRequestStatus, 'succeeded' | 'failed' | 'unknown' | 'skipped'> & {
  readonly run: Pick<HostRequestStatus['run'], 'epoch' | 'round' | 'wave' | 'claim'>
}

/** @throws RangeError where a set is none that was written by us. */
export function recordOf({ run, succeeded, failed, unknown, skipped }: StatusRecord): RunRecord {
  return {
    ...{ epoch: run.epoch, round: run.round, wave: run.wave, claim: IndexSet.parse(run.claim) },
    ...{ succeeded: IndexSet.parse(succeeded), failed: IndexSet.parse(failed) },
    ...{ unknown: IndexSet.parse(unknown), skipped: IndexSet.parse(skipped) },
  }
}

export function statusRecordOf({
  epoch,
  round,
  wave,
  claim,
  succeeded,
  failed,
  unknown,
  skipped,
}: RunRecord): StatusRecord {
  return {
    run: { epoch, round, wave, claim: claim.toString() },
    ...{ succeeded: succeeded.toString(), failed: failed.toString() },
    ...{ unknown: unknown.toString(), skipped: skipped.toString() },
  }
}

/** Numbers of targets by outcome: never counted up, always derived from the sets. */
export function countsOf(
  { succeeded, failed, unknown, skipped }: RunRecord,
  targets: number,
): HostRequestStatus['counts'] {
  return { targets, succeeded: succeeded.size, failed: failed.size, unknown: unknown.size, skipped: skipped.size }
}
