import type { TFunction } from 'i18next'
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

/** The tile of a host, made once for each row: a row is never changed. */
function tilesIn(t: TFunction): (row: HostRow) => Tile {
  const tiles = new WeakMap<HostRow, Tile>()
  const names = new Map(hostStates.map((state) => [state, t(`common.host.${state}`)]))
  return (row) => {
    let tile = tiles.get(row)
    if (tile === undefined) {
      const state = hostState(row)
      const words = [row.name, names.get(state), row.reason, row.address].filter(Boolean)
      tile = { key: row.name, label: words.join(' · '), ...looks[state] }
      tiles.set(row, tile)
    }
    return tile
  }
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
  const tileOf = useMemo(() => tilesIn(t), [t])
  const tiles = useMemo(() => rows.map(tileOf), [rows, tileOf])
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
