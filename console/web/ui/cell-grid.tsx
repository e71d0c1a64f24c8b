import { useVirtualizer } from '@tanstack/react-virtual'
import { useId, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { classNames } from './class-names.ts'
import { activeAfter } from './grid-keys.ts'

interface CellGridProps<Item> {
  /** What the cells are, for screen readers. */
  readonly label: string
  readonly items: readonly Item[]
  readonly itemKey: (item: Item) => string
  /** Name and state in words, for screen readers. */
  readonly cellLabel: (item: Item) => string
  readonly render: (item: Item) => ReactNode
  readonly cellClass?: (item: Item) => string
  /** Enter. A click is the affair of what is in the cell. */
  readonly onOpen?: (item: Item) => void
}

const cellWidth = 184
const cellHeight = 34
const maxHeight = 448

/**
 * Any number of cells side by side: only what is seen is in the page. One stop of the Tab key; arrow keys, Page Up and Down, Home and End move, Enter
 * opens.
 */
export function CellGrid<Item>({
  label,
  items,
  itemKey,
  cellLabel,
  render,
  cellClass,
  onOpen,
}: CellGridProps<Item>): ReactNode {
  const { t } = useTranslation()
  const id = useId()
  const scroller = useRef<HTMLDivElement>(null)
  const [columns, setColumns] = useState(1)
  const [activeKey, setActiveKey] = useState<string>()
  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null) return undefined
    const measure = () => setColumns(Math.max(1, Math.floor(element.clientWidth / cellWidth)))
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  const rows = Math.ceil(items.length / columns)
  const virtualizer = useVirtualizer({
    count: rows,
    getScrollElement: () => scroller.current,
    estimateSize: () => cellHeight,
    overscan: 4,
  })
  const active = useMemo(
    () => (activeKey === undefined ? -1 : items.findIndex((item) => itemKey(item) === activeKey)),
    [items, itemKey, activeKey],
  )
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.target !== event.currentTarget || event.altKey || event.ctrlKey || event.metaKey) return
    const item = items[active]
    if (event.key === 'Enter' && item !== undefined) {
      onOpen?.(item)
    } else {
      const page = Math.floor((scroller.current?.clientHeight ?? 0) / cellHeight)
      const next = activeAfter(event.key, active, items.length, page, columns)
      const target = next === undefined ? undefined : items[next]
      if (next === undefined || target === undefined) return
      setActiveKey(itemKey(target))
      virtualizer.scrollToIndex(Math.floor(next / columns))
    }
    event.preventDefault()
  }
  const seen = virtualizer.getVirtualItems()
  const isActiveSeen = active >= 0 && seen.some(({ index }) => index === Math.floor(active / columns))
  return (
    <div
      ref={scroller}
      className="k-cells"
      role="grid"
      aria-label={label}
      aria-describedby={`${id}-help`}
      aria-rowcount={rows}
      aria-colcount={columns}
      aria-activedescendant={isActiveSeen ? `${id}-${active}` : undefined}
      tabIndex={0}
      style={{ height: Math.min(maxHeight, rows * cellHeight + 2) }}
      onKeyDown={onKeyDown}
      onFocus={(event) => {
        const first = items[0]
        if (event.target === event.currentTarget && active < 0 && first !== undefined) setActiveKey(itemKey(first))
      }}
    >
      <div role="presentation" className="k-cells-body" style={{ height: virtualizer.getTotalSize() }}>
        {seen.map((row) => (
          <div
            key={row.key}
            role="row"
            aria-rowindex={row.index + 1}
            className="k-cell-row"
            style={{ gridTemplateColumns: `repeat(${columns}, 1fr)`, transform: `translateY(${row.start}px)` }}
          >
            {items.slice(row.index * columns, (row.index + 1) * columns).map((item, column) => {
              const index = row.index * columns + column
              return (
                <div
                  key={itemKey(item)}
                  id={`${id}-${index}`}
                  role="gridcell"
                  aria-colindex={column + 1}
                  aria-label={cellLabel(item)}
                  className={classNames('k-cell', cellClass?.(item), index === active && 'k-cell-active')}
                >
                  {render(item)}
                </div>
              )
            })}
          </div>
        ))}
      </div>
      <div id={`${id}-help`} className="visually-hidden">
        {t('common.cellsHelp')}
      </div>
    </div>
  )
}
