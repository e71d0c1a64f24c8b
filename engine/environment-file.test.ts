import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseEnvironmentFile } from './environment-file.ts'

describe('parseEnvironmentFile', () => {
  test.each([
    ['bare', 'ID=debian', 'debian'],
    ['empty', 'ID=', ''],
    ['double quotes', 'ID="Debian GNU/Linux 12"', 'Debian GNU/Linux 12'],
    ['single quotes', 'ID=\'it is $5 \\ "so"\'', 'it is $5 \\ "so"'],
    ['escapes in double quotes', 'ID="a \\"b\\" \\$c \\`d\\` \\\\ \\n"', 'a "b" $c `d` \\ \\n'],
    ['escapes outside quotes', "ID=it\\'s\\ so", "it's so"],
    ['no expansion', 'ID="$HOME"', '$HOME'],
    ['white space around', '  ID="x" \r', 'x'],
    ['the later of two', 'ID=a\nID=b', 'b'],
    ['a comment is not one', '#ID=a\nID=b # c', 'b # c'],
  ])('%s', (_case, text, expected) => {
    expect(parseEnvironmentFile(text).get('ID')).toBe(expected)
  })

  test.each(['ID', '=x', 'I D=x', '1D=x', '# ID=x', 'ID="open', "ID='open"])('passes %j by', (line) => {
    expect([...parseEnvironmentFile(`${line}\nX=1`)]).toEqual([['X', '1']])
  })

  const value = fc.string({ unit: fc.constantFrom('a', 'é', ' ', '\t', '"', "'", '\\', '$', '`', '#', '=', ';', '\r') })
  const doubled = (text: string): string => `"${text.replaceAll(/["$`\\]/g, '\\$&')}"`

  test('reads back every value that is quoted as os-release(5) asks', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,5}$/), value), (variables) => {
        const file = Object.entries(variables).map(([name, text]) => `${name}=${doubled(text)}\n`)
        expect(Object.fromEntries(parseEnvironmentFile(file.join('')))).toEqual({ ...variables })
      }),
    )
  })

  test('single quotes keep everything but themselves', () => {
    fc.assert(
      fc.property(
        value.filter((text) => !text.includes("'")),
        (text) => {
          expect(parseEnvironmentFile(`X='${text}'`).get('X')).toBe(text)
        },
      ),
    )
  })
})
