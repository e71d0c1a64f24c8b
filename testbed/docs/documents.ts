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

const installation = 'docs/install.md'
const lastPages = ['docs/upgrade.md', 'docs/uninstall.md']
const translation = /\.zh-CN\.md$/

/**
 * The blocks that are for a cluster made by kubeadm, in the order in which a reader comes to them: installation, all other pages, upgrade, uninstallation. Those of
 * a translation are the original's.
 *
 * @throws Error where a translation has one that its original has not
 */
export function clusterBlocks(): readonly FencedBlock[] {
  const all = documentBlocks().filter(({ world, notRun }) => world === 'cluster' && notRun === undefined)
  const fileOf = ({ place }: FencedBlock) => place.replace(/:\d+$/, '')
  const originals = all.filter((block) => !translation.test(fileOf(block)))
  for (const block of all) {
    const original = fileOf(block).replace(translation, '.md')
    if (!originals.some((each) => fileOf(each) === original && each.text === block.text))
      throw new Error(`${block.place}: ${original} has no such block for the cluster`)
  }
  const turns = [installation, '', ...lastPages]
  const turnOf = (block: FencedBlock) => {
    const turn = turns.indexOf(fileOf(block))
    return turn === -1 ? 1 : turn
  }
  return originals.toSorted((a, b) => turnOf(a) - turnOf(b))
}
