/**
 * A set of small non-negative integers, kept as sorted, disjoint, non-adjacent ranges; written as `0-11,13-39`. Immutable.
 *
 * Targets of a run are numbered, and a status that holds 5,000 of them in four sets stays within a few kilobytes: nearly all runs succeed
 * on nearly all hosts, which is one range.
 */
export class IndexSet {
  static readonly empty = new IndexSet([])

  /** Pairs of first and last, both inclusive. */
  readonly #ranges: readonly (readonly [number, number])[]

  private constructor(ranges: readonly (readonly [number, number])[]) {
    this.#ranges = ranges
  }

  static of(indexes: Iterable<number>): IndexSet {
    const ranges: [number, number][] = []
    for (const index of [...indexes].toSorted((a, b) => a - b)) {
      const last = ranges.at(-1)
      if (last !== undefined && index <= last[1] + 1) last[1] = Math.max(last[1], index)
      else ranges.push([index, index])
    }
    return new IndexSet(ranges)
  }

  /** All integers from 0 up to, and without, `end`. */
  static upTo(end: number): IndexSet {
    return end === 0 ? IndexSet.empty : new IndexSet([[0, end - 1]])
  }

  /** The inverse of `toString`. @throws RangeError where the text is none of its results. */
  static parse(text: string): IndexSet {
    if (text === '') return IndexSet.empty
    let floor = -1
    const ranges = text.split(',').map((part): readonly [number, number] => {
      const [, first = '', last = first] = /^(0|[1-9][0-9]{0,6})(?:-([1-9][0-9]{0,6}))?$/.exec(part) ?? []
      const range = [Number(first), Number(last)] as const
      const inOrder = first !== '' && range[0] > floor && (part === first || range[0] < range[1])
      if (!inOrder) throw new RangeError(`not a set of indexes: ${JSON.stringify(text.slice(0, 40))}`)
      // The next one may not even touch this one: each set has one spelling.
      floor = range[1] + 1
      return range
    })
    return new IndexSet(ranges)
  }

  get size(): number {
    return this.#ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0)
  }

  has(index: number): boolean {
    let low = 0
    let high = this.#ranges.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#ranges[middle]![1] < index) low = middle + 1
      else high = middle
    }
    return (this.#ranges[low]?.[0] ?? Infinity) <= index
  }

  union(other: IndexSet): IndexSet {
    if (other.#ranges.length === 0) return this
    if (this.#ranges.length === 0) return other
    const merged: [number, number][] = []
    for (const [first, last] of [...this.#ranges, ...other.#ranges].toSorted(([a], [b]) => a - b)) {
      const previous = merged.at(-1)
      if (previous !== undefined && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last)
      else merged.push([first, last])
    }
    return new IndexSet(merged)
  }

  without(other: IndexSet): IndexSet {
    const rest: (readonly [number, number])[] = []
    const cuts = other.#ranges
    let next = 0
    for (const [first, last] of this.#ranges) {
      let start = first
      while ((cuts[next]?.[1] ?? Infinity) < start) next += 1
      for (let cut = cuts[next]; cut !== undefined && cut[0] <= last; cut = cuts[next]) {
        if (cut[0] > start) rest.push([start, cut[0] - 1])
        start = cut[1] + 1
        // It may reach into the next range too.
        if (cut[1] > last) break
        next += 1
      }
      if (start <= last) rest.push([start, last])
    }
    return new IndexSet(rest)
  }

  intersection(other: IndexSet): IndexSet {
    return this.without(this.without(other))
  }

  equals(other: IndexSet): boolean {
    return this.toString() === other.toString()
  }

  *[Symbol.iterator](): Generator<number> {
    for (const [first, last] of this.#ranges) for (let index = first; index <= last; index += 1) yield index
  }

  toString(): string {
    return this.#ranges.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(',')
  }
}
