import { describe, expect, test } from 'vitest'
import * as fc from 'fast-check'
import { commandText, quoted } from './command.ts'

/**
 * Reads a line as a POSIX shell does (Shell Command Language, 2.2 Quoting): words, single and double quotes, backslashes. Throws where anything unquoted
 * means something to a shell.
 */
function words(line: string): string[] {
  const found: string[] = []
  let word: string | undefined
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at]!
    if (character === ' ') {
      if (word !== undefined) found.push(word)
      word = undefined
    } else if (character === "'") {
      const end = line.indexOf("'", at + 1)
      if (end < 0) throw new Error('a quote is open')
      word = (word ?? '') + line.slice(at + 1, end)
      at = end
    } else if (character === '\\') {
      at += 1
      word = (word ?? '') + line[at]!
    } else if (/[\s;&|<>()$`"*?[\]#~{}!^\n]/.test(character)) {
      throw new Error(`means something: ${JSON.stringify(character)} in ${line}`)
    } else {
      word = (word ?? '') + character
    }
  }
  if (word !== undefined) found.push(word)
  return found
}

describe('what is pasted into a shell', () => {
  test('is left as it is where nothing means anything', () => {
    expect(commandText({ argv: ['kubectl', 'delete', 'hostrequest', 'a.b-c', '--namespace=default'] })).toBe(
      'kubectl delete hostrequest a.b-c --namespace=default',
    )
  })

  test('quotes what means something, quotes too', () => {
    expect(quoted(`it's $HOME`)).toBe(`'it'\\''s $HOME'`)
    expect(quoted('')).toBe(`''`)
  })

  test('is read back as the same words', () => {
    const text = fc.string({ unit: fc.constantFrom(...Array.from(`ab 'c"\\$\`;&|<>(){}[]*?!~#=\n\té`)) })
    fc.assert(
      fc.property(fc.array(fc.oneof(text, fc.string()), { minLength: 1 }), (argv) => {
        expect(words(commandText({ argv }))).toEqual(argv)
      }),
    )
  })

  test('ends a here-document with a line that it does not hold', () => {
    const text = fc.array(fc.constantFrom('EOF', 'EOF_', 'a: b', '')).map((lines) => `${lines.join('\n')}\n`)
    fc.assert(
      fc.property(text, (input) => {
        const [first, ...rest] = commandText({ argv: ['kubectl', 'apply', '--filename=-'], input }).split('\n')
        const end = /<<'(\w+)'$/.exec(first!)![1]!
        expect(rest.indexOf(end)).toBe(rest.length - 1)
        expect(`${rest.slice(0, -1).join('\n')}\n`).toBe(input)
      }),
    )
  })
})
