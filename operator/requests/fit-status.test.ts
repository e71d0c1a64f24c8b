import { HostRequestStatus, IndexSet, maxTargets } from '@keelson/api'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { beginning } from '../runs/run-record.ts'
import { recordOf } from '../runs/status-record.ts'
import { boundedText } from '../bounded-text.ts'
import { statusLimit } from './fit-status.ts'
import type { Answer, Unsuccessful } from './outcome.ts'
import { runStatus } from './request-status.ts'
import type { RunView } from './run-view.ts'
import { nothingTold } from './told.ts'

const count = Number.MAX_SAFE_INTEGER
const time = '2026-01-02T12:00:00Z'
const counts = { targets: count, succeeded: count, failed: count, unknown: count, skipped: count }
const context = {
  ...{ generation: count, present: undefined, now: time },
  run: {
    ...{ id: 'r'.repeat(128), specDigest: 's'.repeat(22), startTime: time },
    targets: { configMap: 'c'.repeat(253), digest: 'd'.repeat(22) },
  },
  history: Array.from({ length: 5 }, () => ({
    id: 'r'.repeat(128),
    state: 'ERROR' as const,
    counts,
    finishTime: time,
  })),
}

type Sketch = {
  readonly targets: number
  readonly nameLength: number
  /** What each sentence and each answer is made of. */
  readonly padding: string
  /** Different failures, and different answers. */
  readonly kinds: number
  /** How far two targets with the same outcome are apart. */
  readonly pattern: readonly ('succeeded' | 'failed' | 'unknown' | 'skipped' | 'claim')[]
}

function viewOf({ targets, nameLength, padding, kinds, pattern }: Sketch): RunView {
  const names = Array.from({ length: targets }, (_, index) =>
    `${String(index).padStart(5, '0')}.`.padEnd(nameLength, 'x'),
  )
  const members = (wanted: string) =>
    IndexSet.of(names.keys().filter((index) => pattern[index % pattern.length] === wanted))
  const words = (index: number) => boundedText(`${index % kinds} ${padding.repeat(300)}`, 256)
  const details = new Map<number, Unsuccessful>()
  const answers = new Map<number, Answer>()
  for (const index of names.keys()) {
    const outcome = index % 2 === 0 ? 'failed' : 'unknown'
    details.set(index, { outcome, reason: 'R'.repeat(63), code: 599, message: words(index) })
    answers.set(index, { code: 599, body: words(index) })
  }
  const record = {
    ...{ ...beginning, epoch: count, round: 10, wave: 15 },
    ...{ claim: members('claim'), succeeded: members('succeeded'), failed: members('failed') },
    ...{ unknown: members('unknown'), skipped: members('skipped') },
  }
  return { names, record, details, answers, told: nothingTold, notTargeted: new Set(names) }
}

const size = (status: HostRequestStatus) => Buffer.byteLength(JSON.stringify(status))
const outcome = fc.constantFrom('succeeded', 'failed', 'unknown', 'skipped', 'claim')

test('a status of up to 5,000 hosts has at most 64 KiB, whatever hosts are called and answer, and keeps its record', () => {
  const sketch = fc.record({
    targets: fc.oneof(fc.constant(5_000), fc.integer({ min: 1, max: 5_000 })),
    nameLength: fc.oneof(fc.constant(253), fc.integer({ min: 6, max: 253 })),
    padding: fc.constantFrom('x', '"', '\\', '机', '🦀', '<'),
    kinds: fc.constantFrom(1, 16, 17, 5_000),
    pattern: fc.array(outcome, { minLength: 1, maxLength: 6 }),
  })
  fc.assert(
    fc.property(sketch, (made) => {
      const view = viewOf(made)
      const status = runStatus(view, context)
      expect(size(status)).toBeLessThanOrEqual(statusLimit)
      expect(HostRequestStatus.parse(status)).toEqual(status)
      expect(recordOf(status)).toEqual(view.record)
      expect(status.failureGroups.reduce((sum, group) => sum + group.count, 0)).toBe(
        status.counts.failed + status.counts.unknown,
      )
    }),
    {
      numRuns: 25,
      examples: [
        [
          {
            targets: 5_000,
            nameLength: 253,
            padding: '"',
            kinds: 5_000,
            pattern: ['succeeded', 'failed', 'unknown', 'claim'],
          },
        ],
      ],
    },
  )
})

test('ordinary names leave nothing out, even where no two neighbours are alike', () => {
  const ordinary = {
    targets: 5_000,
    nameLength: 40,
    padding: 'x',
    kinds: 16,
    pattern: ['succeeded', 'failed', 'unknown'] as const,
  }
  const status = runStatus(viewOf(ordinary), context)
  expect(status.truncated).toBeUndefined()
  expect([status.failures.length, status.failureGroups.length, status.answers.length]).toEqual([20, 16, 16])
  expect(status.answers[0]?.sample).toHaveLength(3)
})

test('what is missed least goes first, and no more than is needed', () => {
  const seen = [1_000, 2_000, 3_000, 3_500, 4_000, 5_000].map((targets) => {
    const pattern = ['succeeded', 'failed', 'unknown'] as const
    const status = runStatus(viewOf({ targets, nameLength: 253, padding: 'x', kinds: 16, pattern }), context)
    const { answers, failureGroups, failures, truncated = false } = status
    return [answers[0]?.sample.length, failureGroups[0]?.sample.length, failures.length, truncated].join(' ')
  })
  expect([...new Set(seen)]).toEqual(['3 3 20 false', '1 3 20 true', '1 1 20 true'])
})

test('20,000 hosts, however their outcomes lie, have a status that the API takes, and still say why', () => {
  const patterns = [
    ['succeeded', 'failed'],
    ['succeeded', 'succeeded', 'failed'],
    ['succeeded', 'failed', 'unknown'],
    ['claim', 'claim', 'succeeded'],
  ] as const
  for (const pattern of patterns) {
    const view = viewOf({ targets: maxTargets, nameLength: 253, padding: '机', kinds: 5_000, pattern })
    const status = runStatus(view, context)
    expect(HostRequestStatus.parse(status)).toEqual(status)
    expect(recordOf(status)).toEqual(view.record)
    expect(size(status)).toBeLessThanOrEqual(192 * 1024)
    expect(status.failureGroups.length > 0 || pattern[0] === 'claim').toBe(true)
  }
})
