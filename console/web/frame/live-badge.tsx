import { IconBolt, IconCloudOff, IconLoader2 } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useConnection } from '../live/use-live.ts'
import { formatLength } from '../time/format.ts'
import { useUptime } from '../time/use-now.ts'

/** Whether what is shown is true now, and for how long it has not been. */
export function LiveBadge(): ReactNode {
  const { t, i18n } = useTranslation()
  const { state, lost, since } = useConnection()
  const now = useUptime(state === 'Stale' ? 1_000 : 60_000)
  if (state === 'Idle') return <span />
  if (state !== 'Stale') {
    const Icon = state === 'Live' ? IconBolt : IconLoader2
    return (
      <span
        className={state === 'Live' ? 'k-live k-live-on' : 'k-live'}
        title={t(`shell.live.${state}Hint`)}
        role="status"
      >
        <Icon aria-hidden size={16} /> {t(`shell.live.${state}`)}
      </span>
    )
  }
  const kind = lost === 'Cluster' ? 'cluster' : 'console'
  const time = formatLength((now - (since ?? now)) / 1_000, i18n.language)
  return (
    <span className="k-live k-live-stale" title={t(`shell.live.${kind}Hint`)}>
      <IconCloudOff aria-hidden size={16} />
      {/* Said once, without the seconds that go by. */}
      <span className="visually-hidden" role="status">
        {t(`shell.live.${kind}Hint`)}
      </span>
      <span aria-hidden="true">{t(`shell.live.${kind}`, { time })}</span>
    </span>
  )
}
