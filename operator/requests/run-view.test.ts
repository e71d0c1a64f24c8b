import { HostRequestStatus, IndexSet } from '@keelson/api'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { beginning, type RunRecord } from '../runs/run-record.ts'
import type { Answer, Unsuccessful } from './outcome.ts'
import { runStatus } from './request-status.ts'
import type { RunView } from './run-view.ts'
import { nothingTold, toldIn } from './told.ts'

const context = {
  ...{ generation: 1, present: undefined, history: [], now: '2026-01-02T12:00:00Z' },
  run: { id: 'a-1', specDigest: 's', startTime: '2026-01-02T11:59:00Z', targets: { digest: 't' } },
}

type End = { readonly outcome: 'succeeded' | 'failed' | 'unknown'; readonly words: string }

const end: fc.Arbitrary<End> = fc.record({
  outcome: fc.constantFrom('succeeded', 'failed', 'failed', 'unknown'),
  words: fc.constantFrom('a', 'b', 'c'),
})
const nameOf = (index: number) => `h${String(index).padStart(2, '0')}`

/** A run of which one operator after another knows only what it sent itself, and the status. */
class Stints {
  readonly names: readonly string[]
  record: RunRecord = { ...beginning, epoch: 1 }
  status: HostRequestStatus | undefined
  /** What was true of each target last. */
  readonly truth = new Map<number, End>()

  constructor(targets: number) {
    this.names = Array.from({ length: targets }, (_, index) => nameOf(index))
  }

  /** What one operator sends to these, and what it tells at its end. */
  stint(sent: ReadonlyMap<number, End>): HostRequestStatus {
    const details = new Map<number, Unsuccessful>()
    const answers = new Map<number, Answer>()
    const sets = {
      succeeded: new Set(this.record.succeeded),
      failed: new Set(this.record.failed),
      unknown: new Set(this.record.unknown),
    }
    for (const [index, { outcome, words }] of sent) {
      this.truth.set(index, { outcome, words })
      for (const set of Object.values(sets)) set.delete(index)
      sets[outcome].add(index)
      if (outcome !== 'succeeded') details.set(index, { outcome, reason: 'Because', message: words })
      if (outcome !== 'unknown') answers.set(index, { code: outcome === 'succeeded' ? 200 : 500, body: words })
    }
    this.record = {
      ...{ ...this.record, succeeded: IndexSet.of(sets.succeeded) },
      ...{ failed: IndexSet.of(sets.failed), unknown: IndexSet.of(sets.unknown) },
    }
    const told = this.status === undefined ? nothingTold : toldIn(this.status, this.names)
    const view: RunView = { names: this.names, record: this.record, details, answers, told, notTargeted: new Set() }
    this.status = HostRequestStatus.parse(runStatus(view, context))
    return this.status
  }

  /** As if one operator had sent all of it. */
  atOnce(): HostRequestStatus {
    const whole = new Stints(this.names.length)
    return whole.stint(this.truth)
  }
}

const unsuccessful = (status: HostRequestStatus) => status.counts.failed + status.counts.unknown
const total = (groups: readonly { readonly count: number }[]) => groups.reduce((sum, { count }) => sum + count, 0)

describe('what one operator told, the next one tells', () => {
  test('in the same groups with the same counts, as if nobody had ended', () => {
    fc.assert(
      fc.property(fc.array(end, { maxLength: 60 }), fc.array(fc.nat(60), { maxLength: 4 }), (ends, cuts) => {
        const run = new Stints(ends.length)
        let from = 0
        for (const cut of [...cuts.toSorted((a, b) => a - b), ends.length]) {
          run.stint(new Map(ends.slice(from, cut).map((one, index) => [from + index, one])))
          from = Math.max(from, Math.min(cut, ends.length))
        }
        const { failureGroups, answers, msg } = run.status!
        const whole = run.atOnce()
        expect({ failureGroups, answers, msg }).toEqual({
          ...{ failureGroups: whole.failureGroups, answers: whole.answers, msg: whole.msg },
        })
      }),
    )
  })

  test('after a round of retries too nothing is told that is not so, and no failure is missing', () => {
    fc.assert(
      fc.property(
        fc.array(end, { minLength: 1, maxLength: 40 }),
        fc.array(end, { maxLength: 40 }),
        fc.boolean(),
        (ends, again, partly) => {
          const run = new Stints(ends.length)
          run.stint(new Map(ends.map((one, index) => [index, one])))
          const failed = [...run.record.failed].filter((index) => !partly || index % 2 === 0)
          const status = run.stint(new Map(failed.map((index, place) => [index, again[place] ?? ends[0]!])))
          expect(total(status.failureGroups)).toBe(unsuccessful(status))
          const wordsOf = (host: string) => run.truth.get(run.names.indexOf(host))?.words
          const because = ({ reason }: { readonly reason: string }) => reason === 'Because'
          for (const { message, sample } of status.failureGroups.filter(because))
            expect(sample.map(wordsOf)).toEqual(sample.map(() => message))
          for (const { host, message } of status.failures.filter(because)) expect(wordsOf(host)).toBe(message)
          for (const { body, sample } of status.answers) expect(sample.map(wordsOf)).toEqual(sample.map(() => body))
          const successes = [...run.truth.values()].filter(({ outcome }) => outcome === 'succeeded').length
          expect(total(status.answers.filter(({ code }) => code === 200))).toBe(successes)
        },
      ),
    )
  })

  test('also the rest, of which each is too rare to be told', () => {
    const run = new Stints(40)
    const ends = (from: number, to: number) =>
      new Map(
        run.names
          .slice(from, to)
          .map((name, index): [number, End] => [from + index, { outcome: 'failed', words: name }]),
      )
    const first = run.stint(ends(0, 20))
    expect(first.failureGroups).toHaveLength(16)
    expect(first.failureGroups.at(-1)).toEqual({
      reason: 'Other',
      message: 'other causes',
      count: 5,
      sample: ['h15', 'h16', 'h17'],
    })
    const second = run.stint(ends(20, 40))
    expect([second.failureGroups.length, total(second.failureGroups)]).toEqual([16, 40])
    expect(second.failureGroups.at(-1)).toMatchObject({ reason: 'Other', count: 25 })
    expect(second.answers.at(-1)).toEqual({ count: 25, sample: ['h15', 'h16', 'h17'] })
  })
})
