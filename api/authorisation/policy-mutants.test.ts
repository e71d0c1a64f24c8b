import { expect, test } from 'vitest'
import { policyMutants, subjects } from './policy-mutants.ts'

const policies = subjects.map((subject) => [subject.policy.metadata.name, subject] as const)

test.each(policies)('each mutant of %s has a title of its own and is not the policy itself', (_, subject) => {
  const mutants = policyMutants(subject)
  expect(new Set(mutants.map(({ title }) => title)).size).toBe(mutants.length)
  const texts = mutants.map((mutant) => JSON.stringify(mutant.spec))
  expect(new Set([...texts, JSON.stringify(subject.policy.spec)]).size).toBe(texts.length + 1)
})

test.each(policies)(
  'every validation, condition and variable that decides in %s is bent in a mutant',
  (_name, subject) => {
    const { policy, words } = subject
    const { spec } = policy
    const mutants = policyMutants(subject)
    const changed = (part: 'validations' | 'variables' | 'matchConditions', index: number) =>
      mutants.some((mutant) => {
        const parts = mutant.spec[part] as readonly unknown[]
        return JSON.stringify(parts[index]) !== JSON.stringify(spec[part][index])
      })
    for (const [index, { name }] of spec.variables.entries()) {
      expect([name, changed('variables', index)]).toEqual([name, !words.includes(name)])
    }
    for (const part of ['validations', 'matchConditions'] as const) {
      expect(spec[part].map((_, index) => changed(part, index))).not.toContain(false)
    }
  },
)

test('no case has the title of another', () => {
  const cases = subjects.flatMap((subject) => subject.cases)
  expect(new Set(cases.map(({ title }) => title)).size).toBe(cases.length)
})
