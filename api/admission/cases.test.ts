import { expect, test } from 'vitest'
import { admissionCases } from './cases.ts'
import { controllerVerdict } from './verdict.ts'

test.each(admissionCases.map((testCase) => [testCase.title, testCase] as const))('%s', (_, testCase) => {
  expect(controllerVerdict(testCase)).toBeUndefined()
})

test('no title is given twice, and enough is accepted', () => {
  expect(new Set(admissionCases.map(({ title }) => title)).size).toBe(admissionCases.length)
  expect(admissionCases.filter(({ refused }) => !refused).length).toBeGreaterThanOrEqual(20)
})
