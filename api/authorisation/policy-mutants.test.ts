import { expect, test } from 'vitest'
import { targetPolicy } from '../admission-policy.ts'
import { authorisationCases } from './cases.ts'
import { policyMutants } from './policy-mutants.ts'

const { spec } = targetPolicy

test('each mutant has a title of its own and is not the policy itself', () => {
  expect(new Set(policyMutants.map(({ title }) => title)).size).toBe(policyMutants.length)
  const texts = policyMutants.map((mutant) => JSON.stringify(mutant.spec))
  expect(new Set([...texts, JSON.stringify(spec)]).size).toBe(texts.length + 1)
})

test('every validation, every condition and every variable that decides is bent in some mutant', () => {
  const changed = (part: 'validations' | 'variables' | 'matchConditions', index: number) =>
    policyMutants.some((mutant) => {
      const parts = mutant.spec[part] as readonly unknown[]
      return JSON.stringify(parts[index]) !== JSON.stringify(spec[part][index])
    })
  const words = ['who', 'why']
  for (const [index, { name }] of spec.variables.entries()) {
    expect([name, changed('variables', index)]).toEqual([name, !words.includes(name)])
  }
  for (const part of ['validations', 'matchConditions'] as const) {
    expect(spec[part].map((_, index) => changed(part, index))).not.toContain(false)
  }
})

test('no case has the title of another', () => {
  expect(new Set(authorisationCases.map(({ title }) => title)).size).toBe(authorisationCases.length)
})
