/** What RE2 refuses or reads differently from JavaScript, as far as a pattern of a field could hold it. */
const differences = [
  { of: /\(\?(?!:)/, name: 'lookaround, named groups and flags' },
  { of: /\\[^dDwWnrtx.[\](){}|^$*+?\\/-]/, name: 'back-references and escapes other than \\d \\w \\n \\r \\t \\x' },
  { of: /\[\^?\]|\[:/, name: 'empty classes and [: in a class' },
]

const escape = /\\./g
const characterClass = /\[[^\]]*\]/g

/**
 * The source of an expression that RE2 (the API server) reads exactly as JavaScript does.
 *
 * @throws TypeError naming what of it the two read differently
 */
export function re2Source({ source, flags }: RegExp): string {
  if (flags !== '') throw new TypeError(`flags (${flags}) do not reach the API server`)
  for (const { of, name } of differences) {
    if (of.test(source)) throw new TypeError(`the API server's regular expressions (RE2) do not share ${name}`)
  }
  // JavaScript's dot stops at U+2028 too.
  if (source.replaceAll(escape, '').replaceAll(characterClass, '').includes('.')) {
    throw new TypeError("the API server's regular expressions (RE2) read a dot differently; use a class")
  }
  return source.replaceAll('\\/', '/')
}

/** Whether an expression that `re2Source` took bounds the length of what it matches. */
export function boundsLength(source: string): boolean {
  const outside = source.replaceAll(escape, '').replaceAll(characterClass, '')
  let outermost = outside
  for (let before = ''; before !== outermost;) {
    before = outermost
    outermost = before.replaceAll(/\([^()]*\)/g, '')
  }
  // Each alternative of the outermost level has anchors of its own.
  return /^\^[^*+]*\$$/.test(outside) && !outside.includes(',}') && !outermost.includes('|')
}
