import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const skipped = new Set(['dist', 'bundling', 'testing', 'i18n', 'node_modules'])

/** Every word in the sources of the pages that could be the name of a class. Class names are therefore written whole there, never put together. */
export async function usedWords(folder: string): Promise<ReadonlySet<string>> {
  const words = new Set<string>()
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (!skipped.has(entry.name)) for (const word of await usedWords(path)) words.add(word)
    } else if (/[.](tsx?|html)$/.test(entry.name) && !/[.]test[.]ts$/.test(entry.name)) {
      for (const [word] of (await readFile(path, 'utf8')).matchAll(/[A-Za-z][\w-]*/g)) words.add(word)
    }
  }
  return words
}
