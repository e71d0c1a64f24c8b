/** Bytes of a printable character within a string of JSON in UTF-8. */
function encodedSize(character: string): number {
  if (character === '"' || character === '\\') return 2
  const code = character.codePointAt(0)!
  if (code < 0x80) return 1
  if (code < 0x800) return 2
  return code < 0x10000 ? 3 : 4
}

/** What a terminal or a browser would obey instead of show: control characters, line separators, changes of direction. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu

/**
 * Well-formed, printable text of at most `limit` bytes in a JSON document in UTF-8, so of at most `limit` characters by anybody's count: what
 * cannot be printed becomes a space, what is too long ends in `…`. The limit must leave room for that: 3 bytes.
 */
export function boundedText(text: string, limit: number): string {
  const plain = text.toWellFormed().replaceAll(unprintable, ' ').trim()
  let size = 0
  /** Length of what there is room for beside the mark of a cut. */
  let kept = 0
  for (const character of plain) {
    size += encodedSize(character)
    if (size > limit) return copied(`${plain.slice(0, kept)}…`)
    if (size + encodedSize('…') <= limit) kept += character.length
  }
  return copied(plain)
}

/** A part of a string keeps all of it in memory, and there are thousands of them. */
function copied(text: string): string {
  return Buffer.from(text).toString()
}
