import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { documentBlocks, documentText, tree } from './documents.ts'

/** The page whose last table lists what is not run, in each language. */
export const limitsPages = ['docs/limits.md', 'docs/limits.zh-CN.md']

type Row = readonly [file: string, beginsWith: string, reason: string]

/** A row for each block that is not run; pictures once for each page, with their number. */
export function blocksNotRun(): readonly Row[] {
  const blocks = documentBlocks().filter(({ notRun }) => notRun !== undefined)
  const rows = blocks.map(({ place, language, text, notRun = '' }): Row => {
    const file = place.replace(/:\d+$/, '')
    const first = text.split('\n').find((line) => line.trim() !== '' && !line.includes('# not run:')) ?? ''
    const pictures = blocks.filter((block) => block.language === 'mermaid' && block.place.startsWith(`${file}:`))
    const what = language === 'mermaid' ? `pictures: ${pictures.length}` : `\`${first.trim().replaceAll('|', '\\|')}\``
    return [file, what, notRun]
  })
  return rows.filter((row, index) => rows.findIndex((other) => String(other) === String(row)) === index)
}

/** The page up to and with the head of its last table, and that table's rows. */
function lastTable(page: string): readonly [string, readonly string[]] {
  const lines = documentText(page).trimEnd().split('\n')
  const rows = lines.slice(lines.findLastIndex((line) => /^\|[ |-]+$/.test(line)) + 1)
  return [lines.slice(0, lines.length - rows.length).join('\n'), rows]
}

/** What the page says. */
export function listedNotRun(page: string): readonly Row[] {
  const [, rows] = lastTable(page)
  return rows.map((line) => {
    const [file = '', what = '', reason = ''] = line.split(/(?<!\\)\|/).slice(1, -1)
    return [file.trim(), what.trim(), reason.trim()]
  })
}

if (import.meta.main)
  for (const page of limitsPages) {
    const rows = blocksNotRun().map((row) => `| ${row.join(' | ')} |`)
    writeFileSync(join(tree, page), [lastTable(page)[0], ...rows, ''].join('\n'))
  }
