import { fencedBlocks } from './fenced-blocks.ts'

type Piece = {
  /** `# ` to `###### `, `- `, `1.`, `|`, a block of code, or running text. */
  readonly kind: 'heading' | 'item' | 'row' | 'block' | 'text'
  readonly text: string
}

/** What two languages of one page have in common, section by section. */
export type Section = {
  /** Its depth and place: `## 3`. */
  readonly place: string
  /** Its text and items in order: a paragraph, a list's item, a table's row and a block each count once. */
  readonly kinds: readonly Piece['kind'][]
  /** Blocks as they are; of pictures what is not a label. */
  readonly blocks: readonly string[]
  /** Of each row of its tables the words in backticks, the first column's first, and the numbers. */
  readonly rows: readonly (readonly string[])[]
  /** The words in backticks of all else, in alphabetical order, each once. */
  readonly code: readonly string[]
  /** Numbers outside of code and tables, likewise. */
  readonly numbers: readonly string[]
  /** Targets, with the place of the heading that an anchor names. In alphabetical order. */
  readonly links: readonly string[]
}

const inlineCode = /`([^`]+)`/g
const link = /(?<!!)\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)/g
const languageLink = /\[(?:中文|English)\]\([^)]+\)/g

function pieces(markdown: string): readonly Piece[] {
  const found: { kind: Piece['kind']; text: string }[] = []
  let fence = ''
  let closed = true
  for (const line of markdown.split('\n')) {
    const last = found.at(-1)
    const [mark = ''] = /^ {0,3}`{3,}/.exec(line) ?? []
    if (fence !== '') {
      last!.text += `\n${line}`
      if (mark.trim().length >= fence.length) fence = ''
    } else if (mark !== '') {
      fence = mark.trim()
      found.push({ kind: 'block', text: line })
      closed = true
    } else if (line.trim() === '') closed = true
    else {
      const kind = /^#{1,6} /.test(line)
        ? 'heading'
        : line.startsWith('|')
          ? 'row'
          : /^ *(?:-|\d+\.) /.test(line)
            ? 'item'
            : 'text'
      if (kind === 'text' && !closed && last !== undefined && last.kind !== 'row') last.text += ` ${line.trim()}`
      else found.push({ kind, text: line })
      closed = kind === 'heading'
    }
  }
  return found
}

/** A picture of mermaid without the words that are for the reader. */
export function withoutLabels(picture: string): string {
  const lines = picture.split('\n').map((line) =>
    line
      .replaceAll(/[[(]+.*?[\])]+/g, '[]')
      .replaceAll(/-- .+? -->/g, '-->')
      .replace(/: .*$/, ':')
      .replace(/ as .*$/, ' as')
      .replace(/^(\s*(?:alt|else|opt|loop)) .*$/, '$1'),
  )
  return lines.join('\n')
}

const sortedOnce = (words: readonly string[]): readonly string[] => [...new Set(words)].toSorted()

function codeOf(text: string): readonly string[] {
  return [...text.matchAll(inlineCode)].map(([, code = '']) => code)
}

function numbersOf(text: string): readonly string[] {
  const words = text.replaceAll(inlineCode, '').replaceAll(link, ']')
  return [...words.matchAll(/\d+(?:[.,]\d+)*/g)].map(([number]) => number)
}

function linksOf(text: string): readonly string[] {
  return [...text.replaceAll(languageLink, '').matchAll(link)].map(([, page, picture]) => page ?? picture ?? '')
}

/** @param resolveLink what to compare of a link's target */
export function outline(markdown: string, resolveLink: (target: string) => string): readonly Section[] {
  const groups: Piece[][] = []
  for (const piece of pieces(markdown))
    if (piece.kind === 'heading' || groups.length === 0) groups.push([piece])
    else groups.at(-1)!.push(piece)
  return groups.map((group, index) => {
    const blocks = group.filter(({ kind }) => kind === 'block')
    const rows = group.filter(({ kind }) => kind === 'row')
    const prose = group.filter(({ kind }) => kind !== 'block' && kind !== 'row').map(({ text }) => text)
    const words = group.filter(({ kind }) => kind !== 'block').map(({ text }) => text)
    return {
      place: `${group[0]!.text.split(' ')[0]} ${index}`,
      kinds: group.map(({ kind }) => kind),
      blocks: blocks
        .flatMap(({ text }) => fencedBlocks('', text))
        .map(({ language, world, text }) =>
          [language, world, language === 'mermaid' ? withoutLabels(text) : text].join('\n'),
        ),
      rows: rows.map(({ text }) => [
        ...sortedOnce(codeOf(text.split('|')[1] ?? '')),
        '|',
        ...sortedOnce(codeOf(text.slice(text.indexOf('|', 1)))),
        ...numbersOf(text).toSorted(),
      ]),
      code: sortedOnce(prose.flatMap(codeOf)),
      numbers: sortedOnce(prose.flatMap(numbersOf)),
      links: words.flatMap(linksOf).map(resolveLink).toSorted(),
    }
  })
}
