import { isTimeZone } from './format.ts'

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (format === undefined) {
    const parts = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const
    const zone = isTimeZone(timeZone) ? { timeZone } : {}
    format = new Intl.DateTimeFormat('en-US', { ...parts, hourCycle: 'h23', ...zone })
    formats.set(timeZone, format)
  }
  return format
}

/** What a clock on the wall of that time zone shows, to the minute, as `<input type="datetime-local">` takes it. An empty zone is the browser's. */
export function wallClockOf(time: string, timeZone: string): string {
  const parts = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(new Date(time))
      .map(({ type, value }) => [type, value]),
  )
  return `${parts['year']!.padStart(4, '0')}-${parts['month']}-${parts['day']}T${parts['hour']}:${parts['minute']}`
}

/** When a clock on the wall of that time zone shows this. Where it does so twice, or never, in the night in which clocks change: one of the two hours. */
export function instantOfWallClock(wall: string, timeZone: string): string | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(wall)) return undefined
  const asUtc = Date.parse(`${wall}:00Z`)
  if (Number.isNaN(asUtc)) return undefined
  const offsetAt = (instant: number) =>
    Date.parse(`${wallClockOf(new Date(instant).toISOString(), timeZone)}:00Z`) - Math.floor(instant / 60_000) * 60_000
  // The offset at the first guess may be that of the other side of a change of clocks; at the second guess it is right.
  const guess = asUtc - offsetAt(asUtc)
  return new Date(asUtc - offsetAt(guess)).toISOString()
}
