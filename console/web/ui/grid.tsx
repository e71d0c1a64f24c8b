import { IconArrowDown, IconArrowUp } from '@tabler/icons-react'
import { useVirtualizer } from '@tanstack/react-virtual'
import {
  memo,
  useCallback,
  useId,
  useMemo,
  useRef,
  useState,
  type CSSProperties,
  type KeyboardEvent,
  type ReactNode,
} from 'react'
import { useTranslation } from 'react-i18next'
import { classNames } from './class-names.ts'
import { activeAfter, selectionAfter } from './grid-keys.ts'

export interface GridColumn<Row> {
  readonly key: string
  readonly header: string
  /** A track of CSS grid whose least width is in rem: `8rem`, `minmax(10rem, 2fr)`. */
  readonly width: string
  readonly render: (row: Row) => ReactNode
  readonly sortable?: boolean
  readonly align?: 'end'
}

export interface GridSort {
  readonly key: string
  readonly descending: boolean
}

interface GridProps<Row> {
  /** What the rows are, for screen readers. */
  readonly label: string
  /** In the order in which they are shown. */
  readonly rows: readonly Row[]
  /** Must stay the same function, as `columns` the same array: rows render only when they have changed. */
  readonly rowKey: (row: Row) => string
  readonly columns: readonly GridColumn<Row>[]
  readonly sort?: GridSort
  readonly onSort?: (sort: GridSort) => void
  readonly selected?: ReadonlySet<string>
  readonly onSelect?: (selected: ReadonlySet<string>) => void
  /** Enter, or a double click. */
  readonly onOpen?: (row: Row) => void
}

const rowHeight = 40
const headerHeight = 36
const none: ReadonlySet<string> = new Set()

/**
 * A table of any length: only what is seen is in the page. One stop of the Tab key; arrow keys, Page Up and Down, Home and End move, Enter opens, Space
 * selects, Ctrl+A selects all. It fills the height that it is given.
 */
export function Grid<Row>({
  label,
  rows,
  rowKey,
  columns,
  sort,
  onSort,
  selected = none,
  onSelect,
  onOpen,
}: GridProps<Row>): ReactNode {
  const { t } = useTranslation()
  const id = useId()
  const scroller = useRef<HTMLDivElement>(null)
  const anchor = useRef<string>(undefined)
  const [activeKey, setActiveKey] = useState<string>()
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    scrollMargin: headerHeight,
    scrollPaddingStart: headerHeight,
  })
  const items = virtualizer.getVirtualItems()
  const activeIndex = useMemo(
    () => (activeKey === undefined ? -1 : rows.findIndex((row) => rowKey(row) === activeKey)),
    [rows, rowKey, activeKey],
  )
  const tracks = useMemo<CSSProperties>(
    () => tracksOf([...(onSelect === undefined ? [] : ['2.5rem']), ...columns.map(({ width }) => width)]),
    [columns, onSelect],
  )

  // Rows get these for good: what they need of the present state they find here when they are clicked.
  const present = useRef({ rows, selected, onSelect, onOpen })
  present.current = { rows, selected, onSelect, onOpen }
  const select = useCallback(
    (key: string, range: boolean) => {
      const now = present.current
      const keys = range ? now.rows.map(rowKey) : []
      now.onSelect?.(selectionAfter(now.selected, keys, key, anchor.current, range))
      anchor.current = key
    },
    [rowKey],
  )
  const open = useCallback((row: Row) => present.current.onOpen?.(row), [])
  const activate = useCallback((key: string) => setActiveKey(key), [])

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const within = event.target !== event.currentTarget
    if (within && (event.key === 'Enter' || event.key === ' ')) return
    const row = rows[activeIndex]
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'a' && onSelect !== undefined) {
      onSelect(new Set(rows.map(rowKey)))
    } else if (event.key === ' ' && row !== undefined && onSelect !== undefined) {
      select(rowKey(row), event.shiftKey)
    } else if (event.key === 'Enter' && row !== undefined) {
      onOpen?.(row)
    } else {
      const page = Math.floor(((scroller.current?.clientHeight ?? 0) - headerHeight) / rowHeight)
      const next = event.altKey ? undefined : activeAfter(event.key, activeIndex, rows.length, page)
      const target = next === undefined ? undefined : rows[next]
      if (next === undefined || target === undefined) return
      setActiveKey(rowKey(target))
      virtualizer.scrollToIndex(next)
    }
    event.preventDefault()
  }

  const activeSeen = items.some(({ index }) => index === activeIndex)
  const all = rows.length > 0 && selected.size >= rows.length && rows.every((row) => selected.has(rowKey(row)))
  return (
    <div
      ref={scroller}
      className="k-grid"
      role="grid"
      aria-label={label}
      aria-describedby={`${id}-help`}
      aria-rowcount={rows.length + 1}
      aria-multiselectable={onSelect === undefined ? undefined : true}
      aria-activedescendant={activeSeen ? `${id}-${activeIndex}` : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onFocus={(event) => {
        const first = rows[0]
        if (event.target === event.currentTarget && activeIndex < 0 && first !== undefined) setActiveKey(rowKey(first))
      }}
    >
      <div className="k-grid-header" role="row" aria-rowindex={1} style={tracks}>
        {onSelect !== undefined && (
          <div role="columnheader" className="k-grid-cell">
            <input
              type="checkbox"
              className="form-check-input"
              aria-label={t('common.selectAll')}
              checked={all}
              ref={(box) => {
                if (box !== null) box.indeterminate = !all && selected.size > 0
              }}
              onChange={() => onSelect(all ? new Set() : new Set(rows.map(rowKey)))}
            />
          </div>
        )}
        {columns.map((column) => (
          <HeaderCell key={column.key} column={column} sort={sort} onSort={onSort} />
        ))}
      </div>
      <div role="rowgroup" className="k-grid-body" style={{ height: virtualizer.getTotalSize() }}>
        {items.map((item) => {
          const row = rows[item.index]
          if (row === undefined) return null
          const key = rowKey(row)
          return (
            <GridRow
              key={key}
              id={`${id}-${item.index}`}
              row={row}
              rowKeyText={key}
              index={item.index}
              top={item.start - headerHeight}
              columns={columns as readonly GridColumn<unknown>[]}
              tracks={tracks}
              selectable={onSelect !== undefined}
              selected={selected.has(key)}
              active={item.index === activeIndex}
              selectLabel={onSelect === undefined ? '' : t('common.selectRow', { name: key })}
              onActivate={activate}
              onSelect={select}
              onOpen={open as (row: unknown) => void}
            />
          )
        })}
      </div>
      <div id={`${id}-help`} className="visually-hidden">
        {t('common.gridHelp')}
      </div>
    </div>
  )
}

/** All rows get the same width, of at least all columns: each row is a grid of its own. */
function tracksOf(widths: readonly string[]): CSSProperties {
  const least = widths.map((width) => Number(/([\d.]+)rem/.exec(width)?.[1] ?? 0))
  return { gridTemplateColumns: widths.join(' '), minWidth: `${least.reduce((sum, each) => sum + each, 0)}rem` }
}

interface HeaderCellProps<Row> {
  readonly column: GridColumn<Row>
  readonly sort: GridSort | undefined
  readonly onSort: ((sort: GridSort) => void) | undefined
}

function HeaderCell<Row>({ column, sort, onSort }: HeaderCellProps<Row>): ReactNode {
  const { key, header, align, sortable } = column
  const sorted = sort?.key === key ? sort : undefined
  const className = classNames('k-grid-cell', align === 'end' && 'k-end')
  if (onSort === undefined || sortable !== true) {
    return (
      <div role="columnheader" className={className}>
        {header}
      </div>
    )
  }
  const direction = sorted === undefined ? 'none' : sorted.descending ? 'descending' : 'ascending'
  return (
    <div role="columnheader" className={className} aria-sort={direction}>
      <button
        type="button"
        className="k-sort"
        onClick={() => onSort({ key, descending: sorted?.descending === false })}
      >
        {header}
        {sorted?.descending === false && <IconArrowUp aria-hidden size={14} />}
        {sorted?.descending === true && <IconArrowDown aria-hidden size={14} />}
      </button>
    </div>
  )
}

interface GridRowProps {
  readonly id: string
  readonly row: unknown
  readonly rowKeyText: string
  readonly index: number
  readonly top: number
  readonly columns: readonly GridColumn<unknown>[]
  readonly tracks: CSSProperties
  readonly selectable: boolean
  readonly selected: boolean
  readonly active: boolean
  /** Label of its checkbox: no hook in a row that scrolling mounts. */
  readonly selectLabel: string
  readonly onActivate: (key: string) => void
  readonly onSelect: (key: string, range: boolean) => void
  readonly onOpen: (row: unknown) => void
}

const GridRow = memo(function GridRow(props: GridRowProps): ReactNode {
  const {
    id,
    row,
    rowKeyText,
    index,
    top,
    columns,
    tracks,
    selectable,
    selected,
    active,
    selectLabel,
    onActivate,
    onSelect,
    onOpen,
  } = props
  return (
    <div
      id={id}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selectable ? selected : undefined}
      className={classNames('k-grid-row', selected && 'k-grid-selected', active && 'k-grid-active')}
      style={{ ...tracks, top }}
      onClick={(event) => {
        onActivate(rowKeyText)
        if (event.shiftKey && selectable) onSelect(rowKeyText, true)
      }}
      onDoubleClick={() => onOpen(row)}
    >
      {selectable && (
        <div role="gridcell" className="k-grid-cell">
          <input
            type="checkbox"
            className="form-check-input"
            tabIndex={-1}
            aria-label={selectLabel}
            checked={selected}
            onChange={() => onSelect(rowKeyText, false)}
            onClick={(event) => event.stopPropagation()}
          />
        </div>
      )}
      {columns.map((column) => (
        <div key={column.key} role="gridcell" className={classNames('k-grid-cell', column.align === 'end' && 'k-end')}>
          {column.render(row)}
        </div>
      ))}
    </div>
  )
})
