import { HostRequestStatus, IndexSet } from '@keelson/api'
import { assert, integer, nat, property, record, uniqueArray } from 'fast-check'
import { expect, test } from 'vitest'
import { sameRecord } from './run-record.ts'
import { countsOf, recordOf, statusRecordOf } from './status-record.ts'

const set = uniqueArray(integer({ min: 0, max: 5_000 }), { maxLength: 200 }).map((indexes) => IndexSet.of(indexes))
const anyRecord = record({
  epoch: nat(),
  round: nat(),
  wave: nat(),
  claim: set,
  succeeded: set,
  failed: set,
  unknown: set,
  skipped: set,
})

test('what is written is read back, and is what the kind allows', () => {
  assert(
    property(anyRecord, (run) => {
      const status = statusRecordOf(run)
      expect(sameRecord(recordOf(status), run)).toBe(true)
      for (const name of ['succeeded', 'failed', 'unknown', 'skipped'] as const)
        expect(HostRequestStatus.shape[name].safeParse(status[name]).success).toBe(true)
      expect(countsOf(run, 9_999).failed).toBe(run.failed.size)
    }),
  )
})

test('sets that are not ours are refused', () => {
  const status = statusRecordOf({
    epoch: 1,
    round: 0,
    wave: 0,
    claim: IndexSet.empty,
    succeeded: IndexSet.empty,
    failed: IndexSet.empty,
    unknown: IndexSet.empty,
    skipped: IndexSet.empty,
  })
  expect(() => recordOf({ ...status, failed: '3-1' })).toThrow(RangeError)
})
