/** One line of `.bench/results.json`. */
export type Result = {
  readonly name: string
  readonly value: number
  readonly unit: '×' | 'ms' | 's' | 'MiB' | 'writes' | '/s'
  /** The value must not be above it; null where the figure is told for its own sake. */
  readonly limit: number | null
  readonly holds: boolean | null
  /** What the value is a ratio to, or what ran beside it; null for a plain figure. */
  readonly peer: string | null
}

export function result(
  name: string,
  value: number,
  unit: Result['unit'],
  { limit = null, peer = null }: { readonly limit?: number | null; readonly peer?: string | null } = {},
): Result {
  const rounded = Number(value.toPrecision(3))
  // What is printed is what is judged: nobody shall read "1.50, limit 1.5, does not hold".
  return { name, value: rounded, unit, limit, holds: limit === null ? null : rounded <= limit, peer }
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** By the nearest rank; of an even number the lower of the two in the middle is the median. */
export function quantile(values: readonly number[], fraction: number): number {
  if (values.length === 0) throw new RangeError('there is no quantile of nothing')
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)]!
}

/** For people: a row a result. */
export function table(results: readonly Result[]): string {
  const verdict = { true: 'holds', false: 'DOES NOT HOLD', null: '' }
  const rows = results.map(({ name, value, unit, limit, holds, peer }) => [
    name,
    `${value} ${unit}`,
    limit === null ? '' : `≤ ${limit}`,
    verdict[`${holds}`],
    peer ?? '',
  ])
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
