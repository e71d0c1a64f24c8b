import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** The executable: see {@link bundleModule}. */
export async function bundleExecutable(outfile: string): Promise<void> {
  await bundleModule(fileURLToPath(new URL('main.ts', import.meta.url)), outfile)
}

/**
 * Makes a module and all that it imports one file (an ES module, so name it .mjs) that Node runs as it is, without node_modules. Not minified: a stack
 * trace from a host must be readable.
 *
 * @param entry absolute path
 */
export async function bundleModule(entry: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // What is CommonJS inside asks for Node's own modules by `require`. Others bring createRequire in by its own name.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'\nconst require = requireFrom(import.meta.url)",
    },
    legalComments: 'inline',
    logLevel: 'silent',
  })
  await writeFile(outfile, withPlainComments(await readFile(outfile, 'utf8')))
}

/**
 * esbuild escapes whatever is not ASCII but in comments, and one such character makes V8 keep the whole text at two bytes a character: 10 MB of every
 * process.
 */
function withPlainComments(text: string): string {
  // oxlint-disable-next-line no-control-regex -- U+0000 is where ASCII begins
  const foreign = /[^\u0000-\u007F]/g
  const isComment = /\/\/|^\s*\/?[*]/
  return text
    .split('\n')
    .map((line) => (isComment.test(line) ? line.replaceAll(foreign, '?') : line))
    .join('\n')
}
