/** Where the ConfigMap that holds the targets of a run has them: names as a JSON array, gzip, in binaryData. */
export const targetListKey = 'targets.json.gz'

const maxBytes = 16 * 1024 * 1024

/** Tells two lists of targets apart; short, since it stands in each status. */
export async function targetListDigest(names: readonly string[]): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(names)))
  return btoa(String.fromCharCode(...new Uint8Array(hash)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .slice(0, 22)
}

/** What the ConfigMap of a run holds. @throws where the bytes are not a list of the digest: somebody else's ConfigMap. */
export async function unpackTargetList(gzip: Uint8Array<ArrayBuffer>, digest: string): Promise<readonly string[]> {
  const names = JSON.parse(await gunzip(gzip)) as readonly string[]
  if ((await targetListDigest(names)) !== digest)
    throw new Error('the list of targets is not that of the run: its digest differs')
  return names
}

async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for await (const chunk of new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))) {
    length += chunk.length
    if (length > maxBytes) throw new Error(`the list of targets is longer than ${maxBytes} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}
