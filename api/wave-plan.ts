import { amountOf, type Amount } from './amount.ts'

/**
 * How many targets have been reached at the end of each wave: cumulative, rising, at least one in the first, and all of them in the last,
 * whatever was asked for. Waves that would add nobody are left out.
 */
export function waveEnds(targets: number, waves: readonly Amount[]): number[] {
  const ends: number[] = []
  for (const wave of waves) {
    const end = Math.min(targets, Math.max(1, amountOf(wave, targets)))
    if (end > (ends.at(-1) ?? 0)) ends.push(end)
  }
  if (ends.at(-1) !== targets) ends.push(targets)
  return ends
}

/** With canaries, targets are sent to in the order of the SHA-256 of this text, in hexadecimal: whoever knows the run can tell its waves. */
export function rankText(runId: string, index: number): string {
  return `${runId}/${index}`
}
