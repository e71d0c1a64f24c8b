/** How a person reads times: language and IANA time zone, empty for the browser's. */
export interface Reading {
  readonly language: string
  readonly timeZone: string
}

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf({ language, timeZone }: Reading, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([language, timeZone, options])
  let format = formats.get(key)
  if (format === undefined) {
    const zone = isTimeZone(timeZone) ? { timeZone } : {}
    format = new Intl.DateTimeFormat(language, { ...options, ...zone, hourCycle: 'h23' })
    formats.set(key, format)
  }
  return format
}

export function isTimeZone(name: string): boolean {
  if (name === '') return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** Day and time to the second, as lists and details show it. */
export function formatMoment(time: string, reading: Reading): string {
  return formatOf(reading, { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(time))
}

/** The same with the name of the time zone: where it must be unmistakable. */
export function formatMomentWithZone(time: string, reading: Reading): string {
  const options = { year: 'numeric', month: 'short', day: 'numeric' } as const
  const clock = { hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short' } as const
  return formatOf(reading, { ...options, ...clock }).format(new Date(time))
}

const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const

/** A length of time in its greatest unit, rounded down: 45s, 12m, 3h, 2d. */
export function formatLength(seconds: number, language: string): string {
  const length = Math.max(0, Math.floor(seconds))
  const [unit, size] = units.find(([, each]) => length >= each) ?? units.at(-1)!
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'narrow' }).format(
    Math.floor(length / size),
  )
}

/** How long ago something was, as a person says it; what lies ahead, by a clock that differs, is now. */
export function formatAgo(time: string, now: number, language: string): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(time)) / 1_000))
  const [unit, size] = units.find(([, each]) => seconds >= each) ?? units.at(-1)!
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' }).format(
    -Math.floor(seconds / size),
    unit,
  )
}
