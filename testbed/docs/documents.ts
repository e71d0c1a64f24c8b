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

const chinese = '.zh-CN.md'

/** The pages that there are in Chinese, too. */
export function translations(): readonly { readonly original: string; readonly translation: string }[] {
  const translated = documents().filter((file) => file.endsWith(chinese))
  return translated.map((translation) => ({ original: translation.replace(chinese, '.md'), translation }))
}

/** The fenced blocks of the English pages, in order. Those of a translation are equal: languages.test.ts compares them. */
export function documentBlocks(): readonly FencedBlock[] {
  const originals = documents().filter((file) => !file.endsWith(chinese))
  return originals.flatMap((file) => fencedBlocks(file, documentText(file)))
}

const installation = 'docs/install.md'
const lastPages = ['docs/upgrade.md', 'docs/uninstall.md']

/** The blocks that are for a cluster made by kubeadm, in the order in which a reader comes to them: installation, all other pages, upgrade, uninstallation. */
export function clusterBlocks(): readonly FencedBlock[] {
  const blocks = documentBlocks().filter(({ world, notRun }) => world === 'cluster' && notRun === undefined)
  const turns = [installation, '', ...lastPages]
  const turnOf = (block: FencedBlock) => {
    const turn = turns.indexOf(block.place.replace(/:\d+$/, ''))
    return turn === -1 ? 1 : turn
  }
  return blocks.toSorted((a, b) => turnOf(a) - turnOf(b))
}
