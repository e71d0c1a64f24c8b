import { mkdir, mkdtempDisposable, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfiguration } from './read-configuration.ts'

const folder = async () => mkdtempDisposable(join(tmpdir(), 'keelson-session-secret-'))
const secretsOf = async (file: string) =>
  (await readConfiguration([], { KEELSON_CONSOLE_SESSION_SECRET_FILE: file })).sessionSecrets

test('where there is no file it is made, for the console alone, and is the same from then on', async () => {
  await using made = await folder()
  const file = join(made.path, 'secret')
  const [secret, ...more] = await secretsOf(file)
  expect(more).toEqual([])
  expect(Buffer.from(secret!, 'base64url')).toHaveLength(48)
  expect(await readFile(file, 'utf8')).toBe(`${secret}\n`)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await secretsOf(file)).toEqual([secret])
})

test('each is another one', async () => {
  await using made = await folder()
  const all = await Promise.all(['a', 'b'].map(async (name) => secretsOf(join(made.path, name))))
  expect(new Set(all.flat()).size).toBe(2)
})

test('consoles that start at once have the same, and leave nothing else', async () => {
  await using made = await folder()
  const file = join(made.path, 'secret')
  const all = await Promise.all(Array.from({ length: 20 }, async () => secretsOf(file)))
  expect(new Set(all.flat()).size).toBe(1)
  expect(await readdir(made.path)).toEqual(['secret'])
})

test('a file that is there is left as it is, whatever is in it', async () => {
  await using made = await folder()
  const file = join(made.path, 'secret')
  await writeFile(file, '')
  await expect(secretsOf(file)).rejects.toThrow(/is empty: run openssl/)
  expect(await readFile(file, 'utf8')).toBe('')
})

test.each([
  ['a folder that is not there', 'nowhere/secret', /\/secret is not there and cannot be made \(ENOENT\): run openssl/],
  ['a folder in its place', 'folder', /\/folder cannot be read \(EISDIR\): run openssl/],
])('%s', async (_case, name, message) => {
  await using made = await folder()
  await mkdir(join(made.path, 'folder'))
  await expect(secretsOf(join(made.path, name))).rejects.toMatchObject({
    code: 'ConfigurationRefused',
    message: expect.stringMatching(message) as string,
  })
  expect(await readdir(made.path)).toEqual(['folder'])
})
