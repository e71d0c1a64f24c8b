import { useMemo, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { HostRow } from '../../../protocol/hosts.ts'
import { hostState, hostStates, TileMatrix, type HostState, type Tile } from '../../ui/index.ts'

const looks: Readonly<Record<HostState, Pick<Tile, 'tone' | 'sign'>>> = {
  Ready: { tone: 'good', sign: '' },
  NotReady: { tone: 'bad', sign: '!' },
  Offline: { tone: 'warning', sign: '×' },
  Unknown: { tone: 'neutral', sign: '?' },
}

interface HostTilesProps {
  readonly rows: readonly HostRow[]
  readonly selected: ReadonlySet<string>
  readonly onSelect: (selected: ReadonlySet<string>) => void
  readonly onOpen: (name: string) => void
}

/** Every host as a tile: thousands at one look. */
export function HostTiles({ rows, selected, onSelect, onOpen }: HostTilesProps): ReactNode {
  const { t } = useTranslation()
  const tiles = useMemo(
    () =>
      rows.map((row): Tile => {
        const state = hostState(row)
        const words = [row.name, t(`common.host.${state}`), row.reason, row.address].filter(Boolean)
        return { key: row.name, label: words.join(' · '), ...looks[state] }
      }),
    [rows, t],
  )
  return (
    <>
      <TileMatrix
        label={t('hosts.tilesLabel')}
        help={t('hosts.tileHelp')}
        tiles={tiles}
        selected={selected}
        onSelect={onSelect}
        onOpen={onOpen}
      />
      <ul className="k-legend">
        {hostStates.map((state) => (
          <li key={state}>
            <span className={legendClasses[state]} aria-hidden="true">
              {looks[state].sign}
            </span>
            {t(`common.host.${state}`)}
          </li>
        ))}
      </ul>
    </>
  )
}

const legendClasses: Readonly<Record<HostState, string>> = {
  Ready: 'k-tile k-tile-good',
  NotReady: 'k-tile k-tile-bad',
  Offline: 'k-tile k-tile-warning',
  Unknown: 'k-tile k-tile-neutral',
}
