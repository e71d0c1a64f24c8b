import { expect, test } from 'vitest'
import { boundsLength, re2Source } from './re2.ts'

test('an expression of both dialects stays as it is', () => {
  expect(re2Source(/^[a-z.*[+]+\.(?:\d{1,3}|\x2d)\/$/)).toBe(String.raw`^[a-z.*[+]+\.(?:\d{1,3}|\x2d)/$`)
})

test.each([
  [/a/i, 'flags (i)'],
  [/a/u, 'flags (u)'],
  [/a(?=b)/, 'lookaround'],
  [/a(?<!b)/, 'lookaround'],
  [/(?<name>a)/, 'lookaround'],
  [/(a)\1/, 'back-references'],
  [/\u0041/, 'back-references'],
  [/\s/, 'back-references'],
  [/a\b/, 'back-references'],
  [/[^]/, 'empty classes'],
  [/[[:alpha:]]/, 'empty classes'],
  [/a.c/, 'dot'],
])('%s is refused', (expression, reason) => {
  expect(() => re2Source(expression)).toThrow(reason)
})

test.each([
  ['^a{1,3}[*+]$', true],
  [String.raw`^a\*$`, true],
  ['^a?(b|cd)$', true],
  ['a', false],
  ['^a', false],
  ['^a*$', false],
  ['^a+$', false],
  ['^a{2,}$', false],
  ['^a|b$', false],
  ['^(a|(b|c))$', true],
])('%s bounds the length: %s', (source, expected) => {
  expect(boundsLength(source)).toBe(expected)
})
