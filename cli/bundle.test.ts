import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundleExecutable } from './bundle.ts'

const version = '7.8.9'

let folder: string
beforeAll(async () => {
  // Outside the source tree: no node_modules is found from here.
  folder = await mkdtemp(join(tmpdir(), 'keelson-bundle-'))
  await bundleExecutable(folder, { version })
}, 30_000)
afterAll(async () => rm(folder, { recursive: true }))
const timeoutMs = 30_000

const keelson = async (...args: string[]) => node([join(folder, 'keelson.mjs'), ...args])
const node = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  promisify(execFile)(process.execPath, args, { cwd: folder, env })

test(
  'keelson.mjs and what lies in lib are the executable',
  async () => {
    expect((await readdir(folder)).toSorted()).toEqual(['keelson.mjs', 'lib'])
    expect((await keelson('--help')).stdout).toContain('keelson COMMAND --help')
  },
  timeoutMs,
)

test('its version is built in', async () => {
  const { stdout } = await node([join(folder, 'keelson.mjs'), '--version'], { KEELSON_VERSION: '0.0.0' })
  expect(stdout).toBe(`keelson ${version}\n`)
})

test('it is of one byte a character, as V8 then keeps it', async () => {
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.mjs'))
  const read = files.map(async (name) => [name, await readFile(join(folder, name))] as const)
  const wide = (await Promise.all(read)).filter(([, text]) => text.some((byte) => byte > 127))
  expect(wide.map(([name]) => name)).toEqual([])
})

/** Tells each module of a file that is loaded, a line each, and runs on. */
const telling = `import { registerHooks } from 'node:module'
registerHooks({ load: (url, context, next) => (url.startsWith('file:') && console.error(url), next(url, context)) })`

/** Whose sources are in what a command loads: names of packages, and of folders of this tree. */
async function sourcesOf(...args: string[]): Promise<string[]> {
  await writeFile(join(folder, 'telling.mjs'), telling)
  const ended = node(['--import', './telling.mjs', join(folder, 'keelson.mjs'), ...args])
  const { stderr } = await ended.catch((error: unknown) => error as { stderr: string })
  const files = stderr.split('\n').filter((url) => url.startsWith('file:') && !url.endsWith('/telling.mjs'))
  const texts = await Promise.all(files.map(async (url) => readFile(fileURLToPath(url), 'utf8')))
  // esbuild begins each module with its path.
  const paths = texts.flatMap((text) => [
    ...text.matchAll(/^ *\/\/ (?:node_modules\/)?((?:@[^/\n]+\/)?[^/\n ]+)\/\S+[.][cm]?[jt]s$/gm),
  ])
  return [...new Set(paths.map(([, name]) => name!))].toSorted()
}

test('a command loads its own part and no other', async () => {
  expect(await sourcesOf('--version')).toEqual(['api', 'cli'])
  const agent = await sourcesOf('agent', '--config', '/nowhere')
  expect(agent).toEqual(expect.arrayContaining(['agent', 'api', 'cli', 'engine', 'pino', 'zod']))
  for (const other of ['console', 'fastify', 'install', 'kube', 'operator', 'undici'])
    expect(agent).not.toContain(other)
  expect(await sourcesOf('operator', '--kubeconfig', '/nowhere')).not.toContain('fastify')
}, 60_000)

test.each([
  [['join', '--name', 'x', '--kubeconfig', '/nowhere'], 'stderr', 'KubeconfigUnreadable'],
  [['operator', '--kubeconfig', '/nowhere'], 'stdout', 'operator ended'],
  [['agent', '--config', '/nowhere'], 'stdout', 'configuration refused'],
  [['console', '--config', '/nowhere'], 'stdout', 'configuration refused'],
] as const)(
  '%j',
  async (args, stream, words) => {
    await expect(keelson(...args)).rejects.toMatchObject({
      code: 1,
      [stream]: expect.stringContaining(words) as string,
    })
  },
  timeoutMs,
)
