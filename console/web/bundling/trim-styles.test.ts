import { expect, test } from 'vitest'
import { trimStyles } from './trim-styles.ts'

const words = new Set(['btn', 'card', 'btn-sm'])

/** What is left of a rule; undefined: nothing. */
function trimmed(...selectors: string[]): string[] | undefined {
  let removed = false
  const rule = { selectors, remove: () => (removed = true) }
  trimStyles(words).Rule(rule)
  return removed ? undefined : rule.selectors
}

test.each([
  [['.btn'], ['.btn']],
  [['.btn.btn-sm:hover', '.btn > .icon'], ['.btn.btn-sm:hover']],
  [['.icon', '.btn .icon::before'], undefined],
  [
    ['body', '[data-bs-theme=dark] .card'],
    ['body', '[data-bs-theme=dark] .card'],
  ],
  // Where a class must be absent, or is one of several, the rule may still match.
  [['.card:not(.card-link)'], ['.card:not(.card-link)']],
  [['50%'], ['50%']],
  [['legend + *', 'label ~ *'], undefined],
])('%j leaves %j', (selectors, expected) => {
  expect(trimmed(...selectors)).toEqual(expected)
})
