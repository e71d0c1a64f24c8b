import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { CertificateFolder } from './certificate-folder.ts'

let root: string
let path: string
let folder: CertificateFolder
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'keelson-install-'))
  path = join(root, 'lib/keelson/tls')
  folder = new CertificateFolder(path)
  return () => rm(root, { recursive: true })
})

const modeOf = async (name: string) => ((await stat(name)).mode & 0o7777).toString(8)
const content = async () =>
  Object.fromEntries(
    await Promise.all(
      (await readdir(path)).map(async (name) => [name, await readFile(join(path, name), 'utf8')] as const),
    ),
  )

test('key, certificate and bundle come into place together, for nobody else to read', async () => {
  expect(await folder.pendingKey(() => 'key')).toBe('key')
  expect(await modeOf(`${path}.pending/tls.key`)).toBe('600')
  expect(await modeOf(`${path}.pending`)).toBe('700')
  expect(await folder.installed()).toBeUndefined()
  await folder.install({ certificate: 'certificate', bundle: 'bundle' })
  expect(await content()).toEqual({ 'ca.crt': 'bundle', 'tls.crt': 'certificate', 'tls.key': 'key' })
  for (const name of ['ca.crt', 'tls.crt', 'tls.key']) expect(await modeOf(join(path, name))).toBe('600')
  expect(await modeOf(path)).toBe('700')
  expect(await folder.installed()).toEqual({ key: 'key', certificate: 'certificate', bundle: 'bundle' })
  expect(await readdir(join(root, 'lib/keelson'))).toEqual(['tls'])
})

test('what was there before is replaced as a whole', async () => {
  await mkdir(path, { recursive: true })
  for (const name of ['ca.crt', 'tls.crt', 'tls.key', 'left-over']) await writeFile(join(path, name), 'old')
  await folder.pendingKey(() => 'key')
  expect(await folder.installed()).toEqual({ key: 'old', certificate: 'old', bundle: 'old' })
  await folder.install({ certificate: 'certificate', bundle: 'bundle' })
  expect(await content()).toEqual({ 'ca.crt': 'bundle', 'tls.crt': 'certificate', 'tls.key': 'key' })
  expect(await readdir(join(root, 'lib/keelson'))).toEqual(['tls'])
})

test('a try that was cut off is taken up with its key; after a refusal it is a new one', async () => {
  await folder.pendingKey(() => 'first')
  expect(await new CertificateFolder(path).pendingKey(() => 'second')).toBe('first')
  await folder.discard()
  expect(await folder.pendingKey(() => 'third')).toBe('third')
})

test('a key that a power cut left empty is made anew', async () => {
  await mkdir(`${path}.pending`, { recursive: true })
  await writeFile(`${path}.pending/tls.key`, '')
  expect(await folder.pendingKey(() => 'key')).toBe('key')
})

test.each([
  ['before the old folder was moved', async () => {}],
  ['after it, so that there is none', async () => rm(path, { recursive: true })],
])('complete, but cut off %s: the next one puts it in place', async (_case, cut) => {
  await mkdir(path, { recursive: true })
  await folder.pendingKey(() => 'key')
  for (const [name, text] of [
    ['tls.crt', 'certificate'],
    ['ca.crt', 'bundle'],
  ] as const)
    await writeFile(join(`${path}.pending`, name), text)
  await mkdir(`${path}.replaced`)
  await cut()
  const next = new CertificateFolder(path)
  expect(await next.complete()).toEqual({ key: 'key', certificate: 'certificate', bundle: 'bundle' })
  await next.putInPlace()
  expect(await content()).toEqual({ 'ca.crt': 'bundle', 'tls.crt': 'certificate', 'tls.key': 'key' })
  expect(await readdir(join(root, 'lib/keelson'))).toEqual(['tls'])
})

test.each(['tls', './tls', '/', '/..'])('the folder %s is refused', (refused) => {
  expect(() => new CertificateFolder(refused)).toThrow(expect.objectContaining({ code: 'FolderUnusable' }))
})

test('a file where the folder should be: it says which', async () => {
  await writeFile(join(root, 'lib'), '')
  await expect(folder.pendingKey(() => 'key')).rejects.toMatchObject({
    code: 'FolderUnusable',
    message: expect.stringMatching(/^\/.*\/tls\.pending.* cannot be used \(ENOTDIR\)/) as string,
  })
})
