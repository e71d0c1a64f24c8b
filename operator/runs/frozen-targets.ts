import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'

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

/** The same as `targetListDigest`, at once. */
export function digestOf(targets: FrozenTargets): string {
  return createHash('sha256').update(JSON.stringify(targets)).digest('base64url').slice(0, 22)
}

export function fitsInline(targets: FrozenTargets): boolean {
  return targets.length <= maxInline && Buffer.byteLength(JSON.stringify(targets)) <= inlineLimit
}

/** The inverse of `unpackTargetList`. */
export function compress(targets: FrozenTargets): Buffer {
  return gzipSync(JSON.stringify(targets))
}
