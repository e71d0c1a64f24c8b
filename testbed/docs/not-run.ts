import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { documentBlocks, documentText, tree } from './documents.ts'

/** The page that lists what is not run, and the heading of its last table's columns. */
export const limitsPage = 'docs/limits.md'
const heading = '| file '

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

/** What the page says. */
export function listedNotRun(): readonly Row[] {
  const text = documentText(limitsPage)
  const lines = text.slice(text.indexOf(`\n${heading}`) + 1).split('\n')
  const rows = lines.slice(2).filter((line) => line.startsWith('|'))
  return rows.map((line) => {
    const [file = '', what = '', reason = ''] = line.split(/(?<!\\)\|/).slice(1, -1)
    return [file.trim(), what.trim(), reason.trim()]
  })
}

if (import.meta.main) {
  const text = documentText(limitsPage)
  const rows = blocksNotRun().map((row) => `| ${row.join(' | ')} |`)
  const table = [`${heading}| begins with | why it is not run |`, '| --- | --- | --- |', ...rows, ''].join('\n')
  writeFileSync(join(tree, limitsPage), text.slice(0, text.indexOf(`\n${heading}`) + 1) + table)
}
