import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { productVersion } from '@keelson/api/product-version'
import { build, type BuildOptions } from 'esbuild'

/** What is CommonJS inside asks for Node's own modules by `require`. Others bring createRequire in by its own name. */
const banner =
  "import { createRequire as requireFrom } from 'node:module'\nconst require = requireFrom(import.meta.url)"

/** Not minified: a stack trace from a host must be readable. Paths in it are those in the tree, wherever that lies. */
const options = {
  absWorkingDir: resolve(import.meta.dirname, '..'),
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  banner: { js: banner },
  legalComments: 'inline',
  logLevel: 'silent',
} as const satisfies BuildOptions

export type ExecutableOptions = {
  /** What it tells as its version; default: the package's. */
  readonly version?: string
  /** Absolute path of a module that stands in for the agent's program. */
  readonly agentEntry?: string
}

/**
 * Makes the executable that Node runs as it is, without node_modules: keelson.mjs, and below lib/ what the sub-commands load when they are called. So a process
 * holds the code of its own part alone.
 */
export async function bundleExecutable(
  directory: string,
  { version = productVersion, agentEntry }: ExecutableOptions = {},
): Promise<void> {
  await write({
    entryPoints: { keelson: join(import.meta.dirname, 'main.ts') },
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    splitting: true,
    chunkNames: 'lib/[name]-[hash]',
    define: { 'process.env.KEELSON_VERSION': JSON.stringify(version) },
    ...(agentEntry === undefined ? {} : { alias: { '@keelson/agent/main': agentEntry } }),
  })
}

/**
 * Makes a module and all that it imports one file (an ES module, so name it .mjs) that Node runs as it is.
 *
 * @param entry absolute path
 */
export async function bundleModule(entry: string, outfile: string): Promise<void> {
  await write({ entryPoints: [entry], outfile })
}

async function write(own: BuildOptions): Promise<void> {
  const { outputFiles } = await build({ ...options, ...own, write: false })
  for (const { path, text } of outputFiles) {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, withPlainComments(text))
  }
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
