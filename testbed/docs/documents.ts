import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fencedBlocks, type FencedBlock } from './fenced-blocks.ts'

export const tree = resolve(import.meta.dirname, '../..')

/** Every page for readers, by its path in the tree, in order. */
export function documents(): readonly string[] {
  const pages = readdirSync(join(tree, 'docs')).filter((name) => name.endsWith('.md'))
  return ['README.md', 'CONTRIBUTING.md', ...pages.map((name) => `docs/${name}`)].toSorted()
}

export function documentText(file: string): string {
  return readFileSync(join(tree, file), 'utf8')
}

/** The fenced blocks of all of them, in order. */
export function documentBlocks(): readonly FencedBlock[] {
  return documents().flatMap((file) => fencedBlocks(file, documentText(file)))
}
