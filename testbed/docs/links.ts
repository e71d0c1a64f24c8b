import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { documentText, tree } from './documents.ts'

const fence = /^ {0,3}(`{3,})[^`]*\n[^]*?^ {0,3}\1`*$/gm
const link = /\]\((?!https?:)([^)\s#]*)(?:#([^)\s]+))?\)/g

/** The anchors that GitHub gives to the headings of a page, in order. */
export function anchorsOf(markdown: string): readonly string[] {
  const headings = [...markdown.replaceAll(fence, '').matchAll(/^#{1,6} (.+)$/gm)].map(([, text = '']) => text)
  return headings.map((text) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}

/** Links of a page to files of the tree, or to headings, that are not there. */
export function deadLinks(file: string): readonly string[] {
  return [...documentText(file).replaceAll(fence, '').matchAll(link)].flatMap(([, path = '', anchor]) => {
    const target = path === '' ? file : normalize(join(dirname(file), path))
    const dead = `${file} links to ${target}${anchor === undefined ? '' : `#${anchor}`}`
    try {
      const content = readFileSync(join(tree, target), 'utf8')
      return anchor === undefined || anchorsOf(content).includes(decodeURIComponent(anchor)) ? [] : [dead]
    } catch {
      return [dead]
    }
  })
}
