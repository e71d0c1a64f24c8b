import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { productVersion } from '@keelson/api/product-version'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { imageEntrypoint } from './image.ts'
import { layOutImage, layOutRelease } from './lay-out.ts'

let folder: string
let pages: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keelson-image-'))
  pages = join(folder, 'built-pages')
  await mkdir(join(pages, 'assets'), { recursive: true, mode: 0o700 })
  await writeFile(join(pages, 'index.html'), '<!doctype html>', { mode: 0o600 })
  await writeFile(join(pages, 'assets/main.js'), '', { mode: 0o700 })
  await layOutImage(join(folder, 'image'), { pages })
}, 60_000)
afterAll(async () => rm(folder, { recursive: true }))

/** Path, mode and digest of everything in a folder; what lies in lib/ is one line, as its names bear digests. */
async function listing(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const lines = entries.map(async (entry) => {
    const path = join(entry.parentPath, entry.name)
    const digest = entry.isFile()
      ? createHash('sha256')
          .update(await readFile(path))
          .digest('hex')
      : 'folder'
    return `${relative(directory, path)} ${((await stat(path)).mode & 0o7777).toString(8)} ${digest}`
  })
  return (await Promise.all(lines)).toSorted()
}

test('what lies where, and with which modes', async () => {
  const lines = (await listing(join(folder, 'image'))).map((line) => line.split(' ').slice(0, 2).join(' '))
  const kinds = new Set(lines.map((line) => line.replace(/\/lib\/.+[.]mjs /, '/lib/*.mjs ')))
  expect([...kinds]).toEqual([
    'opt 755',
    'opt/keelson 755',
    'opt/keelson/bin 755',
    'opt/keelson/bin/node 755',
    'opt/keelson/keelson.mjs 644',
    'opt/keelson/lib 755',
    'opt/keelson/lib/*.mjs 644',
    'opt/keelson/pages 755',
    'opt/keelson/pages/assets 755',
    'opt/keelson/pages/assets/main.js 644',
    'opt/keelson/pages/index.html 644',
    'opt/keelson/systemd 755',
    'opt/keelson/systemd/keelson-agent.service 644',
    'opt/keelson/version 644',
  ])
})

test('its entry point tells the version that the file tells', async () => {
  const [program, ...args] = imageEntrypoint.map((path) => join(folder, 'image', path))
  const { stdout } = await promisify(execFile)(program!, [...args, '--version'], { env: {} })
  expect(stdout).toBe(`keelson ${productVersion}\n`)
  expect(await readFile(join(folder, 'image/opt/keelson/version'), 'utf8')).toBe(`${productVersion}\n`)
}, 30_000)

test('the same sources give the same files, wherever and whenever', async () => {
  await layOutImage(join(folder, 'again/elsewhere'), { pages })
  expect(await listing(join(folder, 'again/elsewhere'))).toEqual(await listing(join(folder, 'image')))
}, 60_000)

test('a release is the image without its pages, and of any version', async () => {
  const release = join(folder, 'release')
  await layOutRelease(release, { version: '9.9.9' })
  expect((await readdir(release)).toSorted()).toEqual(['bin', 'keelson.mjs', 'lib', 'systemd', 'version'])
  const { stdout } = await promisify(execFile)(join(release, 'bin/node'), [join(release, 'keelson.mjs'), '--version'])
  expect([stdout, await readFile(join(release, 'version'), 'utf8')]).toEqual(['keelson 9.9.9\n', '9.9.9\n'])
}, 60_000)
