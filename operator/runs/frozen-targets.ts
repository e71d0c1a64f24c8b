import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'

/** The targets of a run as they were when it began; a target's number is its place in here. */
export type FrozenTargets = readonly string[]

/** Larger lists go to a ConfigMap; in bytes of JSON. */
const inlineLimit = 8 * 1024

/** As many as the API takes; short names reach this first. */
const maxInline = 1024

/** etcd takes 1.5 MB; in bytes of the compressed list. */
export const configMapLimit = 900 * 1024

export function freeze(names: Iterable<string>): FrozenTargets {
  return [...new Set(names)].toSorted()
}

/** Tells two lists apart; short, since it stands in each status. */
export function digestOf(targets: FrozenTargets): string {
  return createHash('sha256').update(JSON.stringify(targets)).digest('base64url').slice(0, 22)
}

export function fitsInline(targets: FrozenTargets): boolean {
  return targets.length <= maxInline && Buffer.byteLength(JSON.stringify(targets)) <= inlineLimit
}

export function compress(targets: FrozenTargets): Buffer {
  return gzipSync(JSON.stringify(targets))
}

/** The inverse of `compress`. @throws where the bytes are not a list of the digest: somebody else's ConfigMap. */
export function decompress(bytes: Uint8Array, digest: string): FrozenTargets {
  const text = gunzipSync(bytes, { maxOutputLength: 16 * 1024 * 1024 }).toString('utf8')
  const targets = JSON.parse(text) as FrozenTargets
  if (digestOf(targets) !== digest) throw new Error('the frozen targets are not those of the run: their digest differs')
  return targets
}
