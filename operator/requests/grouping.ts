/** Equal things that happened to hosts. */
export type Group<Kind> = {
  /** Undefined: all the rest, of which each is too rare to be told. */
  readonly kind: Kind | undefined
  readonly count: number
  /** The first three hosts by name. */
  readonly sample: readonly string[]
}

const groupLimit = 16
const sampleLimit = 3

/**
 * Puts what is equal together: the most frequent first, then by the first host; at most 16 groups, of which the last stands for all the
 * rest where there are more. No host is lost: the counts add up.
 *
 * @param keyOf tells kinds apart.
 */
export function grouped<Kind extends object>(
  parts: Iterable<Group<Kind>>,
  keyOf: (kind: Kind) => string,
): readonly Group<Kind>[] {
  const groups = new Map<string, Group<Kind>>()
  let rest: Group<Kind> | undefined
  for (const part of parts) {
    if (part.kind === undefined) rest = merged(rest, part)
    else groups.set(keyOf(part.kind), merged(groups.get(keyOf(part.kind)), part))
  }
  const sorted = [...groups.values()].toSorted((a, b) => b.count - a.count || compare(a.sample[0], b.sample[0]))
  if (sorted.length + (rest === undefined ? 0 : 1) <= groupLimit) return rest === undefined ? sorted : [...sorted, rest]
  for (const group of sorted.splice(groupLimit - 1)) rest = merged(rest, { ...group, kind: undefined })
  return [...sorted, rest!]
}

function merged<Kind>(one: Group<Kind> | undefined, other: Group<Kind>): Group<Kind> {
  if (one === undefined) return other
  // The ordinary case, thousands of times: hosts come in the order of their names.
  if (one.sample.length === sampleLimit && compare(one.sample.at(-1), other.sample[0]) < 0)
    return { ...one, count: one.count + other.count }
  const sample = [...one.sample, ...other.sample].toSorted(compare).slice(0, sampleLimit)
  return { kind: one.kind, count: one.count + other.count, sample }
}

function compare(a = '', b = ''): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
