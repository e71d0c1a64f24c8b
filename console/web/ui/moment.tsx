import type { ReactNode } from 'react'
import { formatAgo, formatMoment, formatMomentWithZone } from '../time/format.ts'
import { useNow } from '../time/use-now.ts'
import { useReading } from '../time/use-reading.ts'

/** A point in time in the time zone of whoever reads. */
export function Moment({ time }: { readonly time: string }): ReactNode {
  const reading = useReading()
  return (
    <time dateTime={time} title={formatMomentWithZone(time, reading)} className="k-moment">
      {formatMoment(time, reading)}
    </time>
  )
}

/** How long ago it was, kept up to date; the time itself as its title. */
export function Ago({ time }: { readonly time: string }): ReactNode {
  const reading = useReading()
  const now = useNow(10_000)
  return (
    <time dateTime={time} title={formatMomentWithZone(time, reading)} className="k-moment">
      {formatAgo(time, now, reading.language)}
    </time>
  )
}
