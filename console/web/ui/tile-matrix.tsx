import { useVirtualizer } from '@tanstack/react-virtual'
import {
  memo,
  useCallback,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactNode,
} from 'react'
import { classNames } from './class-names.ts'
import { activeAfter, selectionAfter } from './grid-keys.ts'

export interface Tile {
  readonly key: string
  /** Name and state in words: what a screen reader says, and what the pointer shows. */
  readonly label: string
  readonly tone: 'good' | 'bad' | 'warning' | 'neutral' | 'busy'
  /** A sign for the state: colours alone tell nothing. */
  readonly sign: string
}

interface TileMatrixProps {
  readonly label: string
  readonly help: string
  /** Tiles that are equal in all fields may be other objects: nothing is rendered for them. */
  readonly tiles: readonly Tile[]
  readonly selected?: ReadonlySet<string>
  readonly onSelect?: (selected: ReadonlySet<string>) => void
  readonly onOpen?: (key: string) => void
}

const toneClasses: Readonly<Record<Tile['tone'], string>> = {
  good: 'k-tile k-tile-good',
  bad: 'k-tile k-tile-bad',
  warning: 'k-tile k-tile-warning',
  neutral: 'k-tile k-tile-neutral',
  busy: 'k-tile k-tile-busy',
}

const tileSize = 26
const none: ReadonlySet<string> = new Set()

/** Thousands of things at one look, a tile each: only those that are seen are in the page. One stop of the Tab key; arrow keys move, Enter opens, Space selects. */
export function TileMatrix({ label, help, tiles, selected = none, onSelect, onOpen }: TileMatrixProps): ReactNode {
  const id = useId()
  const scroller = useRef<HTMLDivElement>(null)
  const anchor = useRef<string>(undefined)
  const [width, setWidth] = useState(0)
  const [activeKey, setActiveKey] = useState<string>()
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0))
    observer.observe(scroller.current!)
    return () => observer.disconnect()
  }, [])
  const columns = Math.max(1, Math.floor(width / tileSize))
  const count = width === 0 ? 0 : Math.ceil(tiles.length / columns)
  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => tileSize,
    overscan: 4,
  })
  const activeIndex = useMemo(() => tiles.findIndex(({ key }) => key === activeKey), [tiles, activeKey])
  const active = tiles[activeIndex]

  const present = useRef({ tiles, selected, onSelect, onOpen })
  present.current = { tiles, selected, onSelect, onOpen }
  const click = useCallback((key: string, range: boolean, toggle: boolean) => {
    const now = present.current
    setActiveKey(key)
    if (toggle || range) {
      const keys = range ? now.tiles.map((tile) => tile.key) : []
      now.onSelect?.(selectionAfter(now.selected, keys, key, anchor.current, range))
      anchor.current = key
    } else now.onOpen?.(key)
  }, [])

  const onKeyDown = (event: KeyboardEvent) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'a' && onSelect !== undefined) {
      onSelect(new Set(tiles.map(({ key }) => key)))
    } else if (event.key === ' ' && active !== undefined) click(active.key, event.shiftKey, true)
    else if (event.key === 'Enter' && active !== undefined) onOpen?.(active.key)
    else {
      const page = Math.floor((scroller.current?.clientHeight ?? 0) / tileSize)
      const next = event.altKey ? undefined : activeAfter(event.key, activeIndex, tiles.length, page, columns)
      const target = next === undefined ? undefined : tiles[next]
      if (next === undefined || target === undefined) return
      setActiveKey(target.key)
      virtualizer.scrollToIndex(Math.floor(next / columns))
    }
    event.preventDefault()
  }

  const rows = virtualizer.getVirtualItems()
  const activeSeen = rows.some(({ index }) => index === Math.floor(activeIndex / columns))
  return (
    <div className="k-tiles-frame">
      <div
        ref={scroller}
        className="k-tiles"
        role="grid"
        aria-label={label}
        aria-describedby={`${id}-help`}
        aria-rowcount={count}
        aria-colcount={columns}
        aria-multiselectable={onSelect === undefined ? undefined : true}
        aria-activedescendant={active !== undefined && activeSeen ? `${id}-${activeIndex}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onFocus={() => {
          if (active === undefined) setActiveKey(tiles[0]?.key)
        }}
      >
        <div role="rowgroup" className="k-grid-body" style={{ height: virtualizer.getTotalSize() }}>
          {rows.map(({ index, start }) => (
            <TileRow
              key={index}
              id={id}
              index={index}
              first={index * columns}
              top={start}
              tiles={tiles.slice(index * columns, (index + 1) * columns)}
              selected={selected}
              activeKey={activeKey}
              selectable={onSelect !== undefined}
              onClick={click}
            />
          ))}
        </div>
      </div>
      <div id={`${id}-help`} className="k-tiles-caption">
        {active === undefined ? help : active.label}
      </div>
    </div>
  )
}

interface TileRowProps {
  readonly id: string
  readonly index: number
  readonly first: number
  readonly top: number
  readonly tiles: readonly Tile[]
  readonly selected: ReadonlySet<string>
  readonly activeKey: string | undefined
  readonly selectable: boolean
  readonly onClick: (key: string, range: boolean, toggle: boolean) => void
}

const TileRow = memo(
  function TileRow({
    id,
    index,
    first,
    top,
    tiles,
    selected,
    activeKey,
    selectable,
    onClick,
  }: TileRowProps): ReactNode {
    return (
      <div role="row" aria-rowindex={index + 1} className="k-tile-row" style={{ top }}>
        {tiles.map(({ key, label, tone, sign }, column) => (
          <div
            key={key}
            id={`${id}-${first + column}`}
            role="gridcell"
            tabIndex={-1}
            aria-colindex={column + 1}
            aria-label={label}
            aria-selected={selectable ? selected.has(key) : undefined}
            title={label}
            className={classNames(
              toneClasses[tone],
              selected.has(key) && 'k-tile-selected',
              key === activeKey && 'k-tile-active',
            )}
            onClick={(event) => onClick(key, event.shiftKey, event.ctrlKey || event.metaKey)}
          >
            {sign}
          </div>
        ))}
      </div>
    )
  },
  (before, after) =>
    before.top === after.top &&
    before.first === after.first &&
    before.selected === after.selected &&
    (before.activeKey === after.activeKey ||
      ![...before.tiles, ...after.tiles].some(({ key }) => key === before.activeKey || key === after.activeKey)) &&
    before.tiles.length === after.tiles.length &&
    before.tiles.every((tile, index) => {
      const other = after.tiles[index]!
      return tile === other || (tile.key === other.key && tile.label === other.label && tile.tone === other.tone)
    }),
)
