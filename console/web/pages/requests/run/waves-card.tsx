import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleDashed,
  IconClock,
  IconPlayerPause,
  IconProgress,
  type TablerIcon,
} from '@tabler/icons-react'
import type { HostRequest } from '@keelson/api'
import { useMemo, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { outcomeOf } from '../../../run/outcome.ts'
import { wavesOf, type Wave } from '../../../run/waves.ts'
import { Badge, Card, OutcomeBar, type Tone } from '../../../ui/index.ts'

const looks: Readonly<Record<Wave['state'], readonly [Tone, TablerIcon]>> = {
  Done: ['good', IconCircleCheck],
  Failed: ['bad', IconAlertTriangle],
  Running: ['busy', IconProgress],
  Paused: ['warning', IconPlayerPause],
  Waiting: ['neutral', IconClock],
  NotBegun: ['neutral', IconCircleDashed],
}

interface WavesCardProps {
  readonly request: HostRequest
  readonly order: readonly number[] | undefined
}

/** The waves one after the other, as the run takes them. One wave is no stage, and is not shown. */
export function WavesCard({ request, order }: WavesCardProps): ReactNode {
  const { t } = useTranslation()
  const waves = useMemo(
    () => (request.status === undefined ? [] : wavesOf(request, order, outcomeOf(request.status))),
    [request, order],
  )
  if (waves.length < 2) return null
  return (
    <Card title={t('run.waves.title')}>
      <ol className="k-waves">
        {waves.map((wave) => (
          <OneWave key={wave.number} wave={wave} />
        ))}
      </ol>
    </Card>
  )
}

function OneWave({ wave }: { readonly wave: Wave }): ReactNode {
  const { t } = useTranslation()
  const { number, reaches, size, state, tally } = wave
  const [tone, icon] = looks[state]
  const title = t('run.waves.wave', { number: number + 1 })
  const isPresent = state === 'Running' || state === 'Paused' || state === 'Waiting'
  return (
    <li className="k-wave" aria-current={isPresent ? 'step' : undefined}>
      <div className="k-wave-title">
        <span className="k-strong">{title}</span>
        <Badge tone={tone} icon={icon}>
          {t(`run.waves.state.${state}`)}
        </Badge>
      </div>
      <div className="k-muted k-small">
        {t('common.counts.hosts', { count: size })} · {t('run.waves.reaches', { reach: reaches })}
      </div>
      {tally !== undefined && (
        <OutcomeBar
          label={title}
          counts={{
            targets: size,
            succeeded: tally.Succeeded,
            failed: tally.Failed,
            unknown: tally.Unknown,
            skipped: tally.Skipped,
          }}
        />
      )}
    </li>
  )
}
