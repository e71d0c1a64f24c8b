const encoder = new TextEncoder()

/** Printable text of at most `limit` bytes as UTF-8: control characters become spaces, what is too long ends in `…`. */
export function boundedText(text: string, limit: number): string {
  const plain = text.replaceAll(/\p{Cc}+/gu, ' ').trim()
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
