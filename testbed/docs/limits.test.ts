import { expect, test } from 'vitest'
import { isPortRefused } from '@keelson/api'
import { documentText, tree } from './documents.ts'
import { blocksNotRun, limitsPages, listedNotRun } from './not-run.ts'
import { quantityOf, sourceQuantity, statedLimits } from './stated-limits.ts'

const [page = '', ...translations] = limitsPages.map(documentText)
const limits = statedLimits(page)

test('the page states limits with their source', () => {
  expect(limits.length).toBeGreaterThan(70)
})

test.each(limits.map((limit) => [`${limit.where} ${limit.name}`, limit] as const))('%s is as stated', (_, limit) => {
  expect([limit.value, sourceQuantity(limit, tree)]).toEqual([limit.value, quantityOf(limit.value)])
})

test('the refused ports are those of the sources', () => {
  const [, sentence = ''] = /Ports ([0-9, and–]+) are refused always/.exec(page) ?? []
  const stated = sentence.split(/, | and /).flatMap((part) => {
    const [from = 0, to = from] = part.split('–').map(Number)
    return Array.from({ length: to - from + 1 }, (_, index) => from + index)
  })
  const refused = Array.from({ length: 65_536 }, (_, port) => port).filter(isPortRefused)
  expect(stated).toEqual(refused)
})

test.each(translations)('a translation states the same limits', (translation) => {
  expect(statedLimits(translation)).toEqual(limits)
})

test.each(limitsPages)('%s lists every block that is not run; node testbed/docs/not-run.ts writes the list', (file) => {
  expect(listedNotRun(file)).toEqual(blocksNotRun())
})
