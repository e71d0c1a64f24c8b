import type { LabelSelector } from './label-selector.ts'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { matchesSelector } from './matches-selector.ts'

type Labels = Readonly<Record<string, string>>

/** The same once more, by listing every label that could be: a requirement is the set of values, absence included, that fulfil it. */
function fulfils(selector: LabelSelector, labels: Labels): boolean {
  const value = (key: string) => new Map(Object.entries(labels)).get(key) ?? null
  const requirements: [string, (string | null)[]][] = [
    ...Object.entries(selector.matchLabels ?? {}).map(([key, only]): [string, string[]] => [key, [only]]),
    ...(selector.matchExpressions ?? []).map(({ key, operator, values: named = [] }): [string, (string | null)[]] => {
      const others = values.filter((one) => !named.includes(one))
      return [key, { In: named, NotIn: [...others, null], Exists: [...values], DoesNotExist: [null] }[operator]]
    }),
  ]
  return requirements.every(([key, allowed]) => allowed.includes(value(key)))
}

// Names that every JavaScript object answers to are labels like others.
const keys = ['zone', 'disk', 'constructor', 'toString'] as const
const values = ['', 'a', 'b'] as const
const key = fc.constantFrom(...keys)
const value = fc.constantFrom(...values)
const labels = fc.dictionary(key, value, { maxKeys: 3 })
const selector: fc.Arbitrary<LabelSelector> = fc.record(
  {
    matchLabels: fc.dictionary(key, value, { maxKeys: 2 }),
    matchExpressions: fc.array(
      fc.record({
        key,
        operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'),
        values: fc.array(value, { minLength: 1, maxLength: 2 }),
      }),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
)

test('labels fulfil a selector exactly when each of its requirements allows their value', () => {
  const seen = { true: 0, false: 0 }
  fc.assert(
    fc.property(selector, labels, (wanted, present) => {
      const expected = fulfils(wanted, present)
      seen[`${expected}`]++
      expect(matchesSelector(wanted, present)).toBe(expected)
    }),
    { numRuns: 3_000 },
  )
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(300)
})

test('an empty selector is fulfilled by everything', () => {
  expect(matchesSelector({}, {})).toBe(true)
  expect(matchesSelector({ matchLabels: {}, matchExpressions: [] }, { zone: 'a' })).toBe(true)
})

test('NotIn holds without the label, In does not', () => {
  const one = (operator: 'In' | 'NotIn') => ({ matchExpressions: [{ key: 'zone', operator, values: ['a'] }] })
  expect(matchesSelector(one('NotIn'), {})).toBe(true)
  expect(matchesSelector(one('In'), {})).toBe(false)
})
