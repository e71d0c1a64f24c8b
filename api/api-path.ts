import { celString, type ValidationRule } from './crd/validation-rule.ts'

export const maxApiPathLength = 1024

/** Letters, digits and . _ ~ / - after a slash: no query, no fragment, no escape, so what is checked is what is sent. */
export const apiPathPattern = new RegExp('^/[A-Za-z0-9._~/-]*$')

/** Servers disagree about what these mean, so a path that was checked as one resource could reach another. */
const ambiguities = [
  { pattern: '//', message: 'a path has no empty segment (//)' },
  { pattern: '/[.]{1,2}(/|$)', message: 'a path has no segment . or ..' },
]

/** Says why a path that keeps to `apiPathPattern` is refused all the same; undefined: it is not. */
export function apiPathRefusal(path: string): string | undefined {
  return ambiguities.find(({ pattern }) => new RegExp(pattern).test(path))?.message
}

export const apiPathRules: readonly ValidationRule[] = ambiguities.map(({ pattern, message }) => ({
  rule: `!self.matches(${celString(pattern)})`,
  reason: 'FieldValueInvalid',
  message,
}))
