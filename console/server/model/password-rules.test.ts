import { describe, expect, test } from 'vitest'
import { checkPassword } from './password-rules.ts'

describe('refused', () => {
  test.each([
    ['eleven char', /fewer than 12 characters/],
    ['🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊', /fewer than 12 characters/],
    ['x'.repeat(257), /more than 256 characters/],
    ['ada is my name', /holds the name of the account/],
    ['I am A.D.A. myself', /holds the name of the account/],
    ['abababababab', /fewer than 5 different characters/],
    ['111111111111', /fewer than 5 different characters/],
    ['abcdeabcdeabcde', /repeats a few characters/],
    ['Hello1 Hello1 Hello1', /repeats a few characters/],
    ['abcdefghijkl', /a row of neighbouring characters/],
    ['1234567890123', /a row of neighbouring characters/],
    ['qwertyuiop1234', /a row of neighbouring characters/],
    ['poiuytrewq4321', /a row of neighbouring characters/],
    ['Password1234', /a common one/],
    ['PASSWORD_2026!', /a common one/],
    ['P@ssw0rd2024!', /a common one/],
    ['administrator', /a common one/],
    ['Keelson-Admin-2026', /a common one/],
    ['Correct-Horse-Battery-Staple', /a common one/],
    ['1qaz2wsx3edc', /a common one/],
    ['iloveyou123456', /a common one/],
    ['Welcome 2026!!', /a common one/],
    ['q1w2e3r4t5y6', /a common one/],
  ])('%s', (password, why) => {
    expect(() => checkPassword(password, 'ada')).toThrow(
      expect.objectContaining({ code: 'PasswordRefused', message: expect.stringMatching(why) as string }),
    )
  })

  test('without repeating the password', () => {
    const words = 'Password1234'
    expect(() => checkPassword(words, 'ada')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(words) as string }),
    )
  })
})

test.each([
  'four random words here',
  'measured by a bench',
  'nM4#tQ9!vL2x',
  'eleven char.',
  '一二三四五六七八九十百千',
  'Mein Hund frisst Quark',
  'password manager made this one',
])('%s is taken', (password) => {
  expect(() => checkPassword(password, 'ada')).not.toThrow()
})

test('a name of one or two letters is not looked for: every password holds it', () => {
  expect(() => checkPassword('four random words here', 'a')).not.toThrow()
})
