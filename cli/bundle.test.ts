import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundleExecutable } from './bundle.ts'

let folder: string
beforeAll(async () => {
  // Outside the source tree: no node_modules is found from here.
  folder = await mkdtemp(join(tmpdir(), 'keelson-bundle-'))
  await bundleExecutable(join(folder, 'keelson.mjs'))
}, 30_000)
afterAll(async () => rm(folder, { recursive: true }))
const timeoutMs = 30_000

const keelson = async (...args: string[]) =>
  promisify(execFile)(process.execPath, [join(folder, 'keelson.mjs'), ...args], { cwd: folder, env: {} })

test(
  'the one file alone is the executable',
  async () => {
    expect((await keelson('--help')).stdout).toContain('keelson COMMAND --help')
  },
  timeoutMs,
)

test('it is of one byte a character, as V8 then keeps it', async () => {
  const text = await readFile(join(folder, 'keelson.mjs'))
  expect(text.every((byte) => byte < 128)).toBe(true)
})

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
