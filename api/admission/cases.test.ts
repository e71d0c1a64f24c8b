import { expect, test } from 'vitest'
import { refuseSpec } from '../index.ts'
import { admissionCases } from './cases.ts'

test.each(admissionCases.map((testCase) => [testCase.title, testCase] as const))('%s', (_, { spec, refused }) => {
  const refusals = refuseSpec(spec)
  const fields = refusals.map(({ field }) => field)
  if (refused) expect(fields).toContain(refused.field)
  else expect(refusals).toEqual([])
  for (const { message } of refusals) {
    if (refused?.hides !== undefined) expect(message).not.toContain(refused.hides)
  }
})
