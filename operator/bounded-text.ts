const encoder = new TextEncoder()

/** What a terminal or a browser would obey instead of show: control characters, line separators, changes of direction. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu

/**
 * Well-formed, printable text of at most `limit` bytes as UTF-8, so of at most `limit` characters by anybody's count: what cannot be
 * printed becomes a space, what is too long ends in `…`. The limit must leave room for that: 3 bytes.
 */
export function boundedText(text: string, limit: number): string {
  const plain = text.toWellFormed().replaceAll(unprintable, ' ').trim()
  if (encoder.encode(plain).length <= limit) return plain
  let kept = ''
  let size = encoder.encode('…').length
  for (const character of plain) {
    size += encoder.encode(character).length
    if (size > limit) break
    kept += character
  }
  return `${kept}…`
}
