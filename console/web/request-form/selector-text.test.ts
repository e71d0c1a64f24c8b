import type { LabelSelector } from '@keelson/api'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseSelector, SelectorRefused, selectorText } from './selector-text.ts'

describe('a selector as text', () => {
  test.each<[string, LabelSelector]>([
    ['', {}],
    ['  ', {}],
    ['zone=a', { matchLabels: { zone: 'a' } }],
    [
      'zone == a , !gone',
      { matchLabels: { zone: 'a' }, matchExpressions: [{ key: 'gone', operator: 'DoesNotExist' }] },
    ],
    ['zone!=a', { matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] }],
    [
      'tier in (x, y),disk',
      {
        matchExpressions: [
          { key: 'tier', operator: 'In', values: ['x', 'y'] },
          { key: 'disk', operator: 'Exists' },
        ],
      },
    ],
    ['example.com/a.b=', { matchLabels: { 'example.com/a.b': '' } }],
    [
      'zone=a,zone=b',
      { matchLabels: { zone: 'a' }, matchExpressions: [{ key: 'zone', operator: 'In', values: ['b'] }] },
    ],
  ])('%j is read as kubectl reads it', (text, selector) => {
    expect(parseSelector(text)).toEqual(selector)
  })

  test.each([
    ',',
    'zone=a,',
    '=a',
    'zone=a b',
    'zone in',
    'zone in (a',
    'zone in a)',
    'zo ne',
    'zone=-',
    'a=b=c',
    '!',
    'zone in (a),,b',
    'UP/er/x=1',
  ])('%j is refused', (text) => {
    expect(() => parseSelector(text)).toThrow(SelectorRefused)
  })

  const key = fc.stringMatching(/^(e[.]x\/)?[a-zA-Z0-9]([a-z_.-]{0,4}[a-z])?$/)
  const value = fc.stringMatching(/^([a-z0-9]([A-Z_.-]{0,3}[A-Z0-9])?)?$/)
  const values = fc.array(value, { minLength: 1, maxLength: 3 })
  const expression = fc.oneof(
    fc.record({ key, operator: fc.constantFrom('In' as const, 'NotIn' as const), values }),
    fc.record({ key, operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const) }),
  )

  test('is read back as the selector that it was written from', () => {
    fc.assert(
      fc.property(
        fc.dictionary(key, value, { minKeys: 1 }),
        fc.array(expression, { minLength: 1 }),
        (labels, others) => {
          const selector = { matchLabels: { ...labels }, matchExpressions: others }
          expect(parseSelector(selectorText(selector))).toEqual(selector)
        },
      ),
    )
  })
})
