import {
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconClock,
  IconHelpCircle,
  IconListDetails,
  IconPlayerSkipForward,
  IconProgress,
  IconSearchOff,
  type TablerIcon,
} from '@tabler/icons-react'
import type { HostRequest } from '@keelson/api'
import { useNavigate } from '@tanstack/react-router'
import { useCallback, useDeferredValue, useMemo, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { cellsOf, countOutcomes, shownCells, type Cell } from '../../../run/matrix.ts'
import type { Outcome } from '../../../run/outcome.ts'
import { Card, CellGrid, Choice, Empty, Loading, SearchInput, Select, TextLink } from '../../../ui/index.ts'
import type { RunTargets } from './use-run-targets.ts'

const icons: Readonly<Record<Outcome, TablerIcon>> = {
  Failed: IconCircleX,
  Unknown: IconHelpCircle,
  Sending: IconProgress,
  Waiting: IconClock,
  Succeeded: IconCircleCheck,
  Skipped: IconPlayerSkipForward,
  Meant: IconCircleDashed,
}

const tones: Readonly<Record<Outcome, string>> = {
  Failed: 'k-tone-bad',
  Unknown: 'k-tone-warning',
  Sending: 'k-tone-busy',
  Waiting: 'k-tone-plain',
  Succeeded: 'k-tone-good',
  Skipped: 'k-tone-neutral',
  Meant: 'k-tone-plain',
}

interface HostsCardProps {
  readonly request: HostRequest
  readonly targets: RunTargets
}

/** What became of every single host. */
export function HostsCard({ request: { status }, targets }: HostsCardProps): ReactNode {
  const { t } = useTranslation()
  const { names, waves, error } = targets
  const cells = useMemo(
    () => (status === undefined || names === undefined ? undefined : cellsOf(status, names, waves)),
    [status, names, waves],
  )
  if (status === undefined || status.counts.targets === 0) {
    return (
      <Card title={t('run.matrix.title')}>
        <Empty icon={IconListDetails} title={t('run.matrix.none')} />
      </Card>
    )
  }
  if (cells === undefined) return error === null ? <Loading /> : null
  return <Matrix cells={cells} waves={waves} />
}

function Matrix({
  cells,
  waves,
}: {
  readonly cells: readonly Cell[]
  readonly waves: readonly number[] | undefined
}): ReactNode {
  const { t, i18n } = useTranslation()
  const navigate = useNavigate()
  const words = useWords()
  const [outcome, setOutcome] = useState<Outcome>()
  const [wave, setWave] = useState<number>()
  const [text, setText] = useState('')
  const wanted = useDeferredValue(text)
  const counts = useMemo(() => countOutcomes(cells), [cells])
  // An outcome that no host has any more is no filter any more.
  const present = counts.some(([other]) => other === outcome) ? outcome : undefined
  const shown = useMemo(
    () => shownCells(cells, { outcome: present, wave, text: wanted }),
    [cells, present, wave, wanted],
  )
  const waveCount = useMemo(() => (waves === undefined ? 0 : 1 + waves.reduce((a, b) => Math.max(a, b), 0)), [waves])
  return (
    <Card title={t('run.matrix.title')}>
      <div className="k-stack">
        <div className="k-toolbar">
          <SearchInput label={t('run.matrix.search')} value={text} onChange={setText} />
          <Choice
            legend={t('run.matrix.filter')}
            legendHidden
            look="segments"
            value={present ?? 'All'}
            onChange={(next) => setOutcome(next === 'All' ? undefined : next)}
            options={[
              { value: 'All' as const, label: t('run.matrix.all') },
              ...counts.map(([value, count]) => {
                const Icon = icons[value]
                return {
                  value,
                  label: (
                    <>
                      <Icon aria-hidden size={16} /> {t(`run.matrix.outcome.${value}`)}{' '}
                      <span className="k-number">{count.toLocaleString(i18n.language)}</span>
                    </>
                  ),
                }
              }),
            ]}
          />
          {waveCount > 1 && (
            <Select
              label={t('run.matrix.wave')}
              labelHidden
              value={wave === undefined ? '' : String(wave)}
              onChange={(next) => setWave(next === '' ? undefined : Number(next))}
              options={[
                { value: '', label: t('run.matrix.allWaves') },
                ...Array.from({ length: waveCount }, (_, number) => ({
                  value: String(number),
                  label: t('run.waves.wave', { number: number + 1 }),
                })),
              ]}
            />
          )}
          <span className="k-muted k-small k-toolbar-end" role="status">
            {t('common.rowsShown', { shown: shown.length, total: cells.length })}
          </span>
        </div>
        {shown.length === 0 ? (
          <Empty icon={IconSearchOff} title={t('run.matrix.nothingFound')} />
        ) : (
          <CellGrid
            label={t('run.matrix.label')}
            items={shown}
            itemKey={hostOf}
            cellClass={toneOf}
            cellLabel={words}
            render={(cell) => <OneCell cell={cell} title={words(cell)} />}
            onOpen={({ host }) => void navigate({ to: '/hosts/$name', params: { name: host } })}
          />
        )}
      </div>
    </Card>
  )
}

function hostOf({ host }: Cell): string {
  return host
}

function toneOf({ outcome }: Cell): string {
  return tones[outcome]
}

type Words = (cell: Cell) => string

/** What is told of a host in words: where the picture has a sign and a colour. */
function useWords(): Words {
  const { t } = useTranslation()
  return useCallback(
    ({ host, outcome: own, reason }) => {
      const outcome = t(`run.matrix.outcome.${own}`)
      if (reason === undefined) return t('run.matrix.cell', { host, outcome })
      return t('run.matrix.cellReason', { host, outcome, reason: `${reason.reason}: ${reason.message}` })
    },
    [t],
  )
}

function OneCell({ cell, title }: { readonly cell: Cell; readonly title: string }): ReactNode {
  const Icon = icons[cell.outcome]
  return (
    <TextLink href={`/hosts/${cell.host}`} className="k-cell-link" title={title}>
      <Icon aria-hidden size={16} />
      <span className="k-cell-name">{cell.host}</span>
    </TextLink>
  )
}
