import { readdir, readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { buildWeb } from '@keelson/console/web'
import { cached, contentKey } from '../cache.ts'
import { report } from '../progress.ts'

const tree = resolve(import.meta.dirname, '../..')
/** What pages are made of. */
const sources = ['console/web', 'console/protocol', 'api']
const isSource = /(?<![.]test)[.](tsx?|css|html|svg)$/

/** The folder with the built pages of the console. */
export async function consolePages(): Promise<string> {
  const parts = [await readFile(join(tree, 'package-lock.json'))]
  for (const folder of sources) {
    const entries = await readdir(join(tree, folder), { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile() && isSource.test(entry.name))
    for (const path of files.map((file) => join(file.parentPath, file.name)).toSorted())
      parts.push(Buffer.from(relative(tree, path)), await readFile(path))
  }
  return cached('console-pages', contentKey(...parts), async (directory) => {
    report('console', 'building the pages')
    await buildWeb(directory)
  })
}
