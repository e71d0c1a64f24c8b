import { commonPasswords } from './common-passwords.ts'

/** The password is too easy to guess; the message says why and never repeats it. */
export class PasswordRefused extends Error {
  readonly code = 'PasswordRefused'

  constructor(why: string) {
    super(`${why}; take a longer one that nobody guesses, as four random words`)
    this.name = 'PasswordRefused'
  }
}

const minLength = 12
const maxLength = 256
const minDistinct = 5

/**
 * Length, a list of common passwords, and what is as good as common: nothing about classes of characters (NIST SP 800-63B, 5.1.1.2).
 *
 * @throws PasswordRefused
 */
export function checkPassword(password: string, accountName: string): void {
  const length = Array.from(password).length
  if (length < minLength) throw new PasswordRefused(`the password has fewer than ${minLength} characters`)
  if (length > maxLength) throw new PasswordRefused(`the password has more than ${maxLength} characters`)
  const plain = plainOf(password)
  if (accountName.length >= 3 && plain.includes(plainOf(accountName)))
    throw new PasswordRefused('the password holds the name of the account')
  if (new Set(plain).size < minDistinct)
    throw new PasswordRefused(`the password is made of fewer than ${minDistinct} different characters`)
  if (isRepetition(plain)) throw new PasswordRefused('the password repeats a few characters')
  if (isSequence(plain)) throw new PasswordRefused('the password is a row of neighbouring characters')
  if (isCommon(plain)) throw new PasswordRefused('the password is a common one')
}

const lookalikes: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
}

/** Capitals and separators are the first things that are tried. */
function plainOf(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\s._-]/g, '')
}

/** A short piece, again and again: abcabcabcabc, also where the last time is cut off. */
function isRepetition(text: string): boolean {
  for (let size = 1; size <= Math.min(6, text.length / 2); size += 1)
    if (
      text ===
      text
        .slice(0, size)
        .repeat(Math.ceil(text.length / size))
        .slice(0, text.length)
    )
      return true
  return false
}

const rows = [
  'abcdefghijklmnopqrstuvwxyz',
  '12345678901234567890',
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'qazwsxedcrfvtgbyhnujmikolp',
]

/** All of it in pieces of four and more from an alphabet, a row of keys or their reverse: qwertyuiop1234. */
function isSequence(text: string): boolean {
  const minPiece = 4
  const both = rows.flatMap((row) => [row, Array.from(row).toReversed().join('')])
  let from = 0
  while (from < text.length) {
    let end = from + minPiece
    if (end > text.length || !both.some((row) => row.includes(text.slice(from, end)))) return false
    while (end < text.length && both.some((row) => row.includes(text.slice(from, end + 1)))) end += 1
    from = end
  }
  return true
}

/** Also with look-alikes for letters, and with digits and signs around it. */
function isCommon(text: string): boolean {
  const letters = Array.from(text)
    .map((character) => lookalikes[character] ?? character)
    .join('')
  const trimmed = text.replaceAll(/^[^a-z]+|[^a-z]+$/g, '')
  const trimmedLetters = Array.from(trimmed)
    .map((character) => lookalikes[character] ?? character)
    .join('')
  return [text, letters, trimmed, trimmedLetters].some((candidate) => commonPasswords.has(candidate))
}
