/** Where a key leads in a grid of `count` rows of which `page` are seen; undefined: the key is none of the grid's. `columns`: rows of tiles side by side. */
export function activeAfter(key: string, active: number, count: number, page: number, columns = 1): number | undefined {
  const last = count - 1
  if (last < 0) return undefined
  const within = (index: number) => Math.min(last, Math.max(0, index))
  switch (key) {
    case 'ArrowDown':
      return active < 0 ? 0 : active + columns > last ? active : active + columns
    case 'ArrowUp':
      return active < 0 ? 0 : active - columns < 0 ? active : active - columns
    case 'ArrowRight':
      return columns === 1 ? undefined : within(active + 1)
    case 'ArrowLeft':
      return columns === 1 ? undefined : within(active - 1)
    case 'PageDown':
      return within(Math.max(active, 0) + Math.max(1, page - 1) * columns)
    case 'PageUp':
      return within(active - Math.max(1, page - 1) * columns)
    case 'Home':
      return 0
    case 'End':
      return last
    default:
      return undefined
  }
}

/** The selection after `key` was clicked: alone it changes sides; with shift all from the `anchor` to it take its new side. */
export function selectionAfter(
  selected: ReadonlySet<string>,
  keys: readonly string[],
  key: string,
  anchor: string | undefined,
  range: boolean,
): ReadonlySet<string> {
  const next = new Set(selected)
  const on = !selected.has(key)
  const from = range && anchor !== undefined ? keys.indexOf(anchor) : -1
  const to = keys.indexOf(key)
  const touched = from < 0 || to < 0 ? [key] : keys.slice(Math.min(from, to), Math.max(from, to) + 1)
  for (const each of touched) {
    if (on) next.add(each)
    else next.delete(each)
  }
  return next
}
