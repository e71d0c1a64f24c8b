import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where codes are made that somebody who runs Keelson may meet. What a page of the console tells in sentences of its own is not among it. */
const packages = 'api,kube,engine,agent,install,operator,cli,console/server,console/protocol'
const pages = ['console/web/call.ts', 'console/web/problem-error.ts']

/** Tests, what only they use, and the tables by which the admission rules are tested. */
const forTests = /\.(test|fixture)\.ts$|\/testing\/|^api\/(admission|authorisation)\/|^api\/crd\/largest-status\.ts$/

const comment = /^\s*(\/\/|\/?\*).*$/gm
/** Kinds, and names of classes of errors and of tables. */
const name = /\b(kind|name)(:| =) '\w+'/g
/** A word that begins with a capital letter and has a small one. */
const word = /'([A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*)'/g
const declaredCode = /\bcode(?::| =) '([A-Z]\w+)'/g

/**
 * Every word of the product's sources that could be a code: how it is declared (a field, a union type, a table, an argument) does not matter, so none slips
 * through; what is none must be told from them by a list.
 *
 * @returns word → the first file that it is in
 */
export function codeLikeWords(tree: string): ReadonlyMap<string, string> {
  const words = new Map<string, string>()
  const sources = globSync([`{${packages}}/**/*.ts`, ...pages], { cwd: tree, exclude: ['**/node_modules/**'] })
  for (const file of sources.filter((path) => !forTests.test(path)).toSorted()) {
    const text = readFileSync(join(tree, file), 'utf8').replaceAll(comment, '').replaceAll(name, '')
    for (const pattern of [word, declaredCode])
      for (const [, found = ''] of text.matchAll(pattern)) if (!words.has(found)) words.set(found, file)
  }
  return words
}

/** The codes that a page explains: the first cell of a table's row, `| \`Code\` |`. In order, with repetitions. */
export function documentedCodes(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^\| `(\w+)` +\|/gm)].map(([, code = '']) => code)
}
