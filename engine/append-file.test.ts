import { lstat, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { AppendFile } from './append-file.ts'
import { TemporaryHost } from './temporary-host.fixture.ts'

const bytes = (text: string) => Buffer.from(text)

test('is empty where it is not there, and then holds what was put and appended, in a folder of its own', async () => {
  await using host = await TemporaryHost.create()
  const path = host.system.path('/var/lib/keelson/log')
  const file = new AppendFile(path)
  expect(await file.read()).toEqual(bytes(''))
  await file.replace(bytes('a\n'))
  await file.append(bytes('b\n'))
  await file.append(bytes('c\n'))
  await file.sync()
  expect(await new AppendFile(path).read()).toEqual(bytes('a\nb\nc\n'))
  expect((await lstat(path)).mode & 0o7777).toBe(0o600)
  expect((await lstat(join(path, '..'))).mode & 0o7777).toBe(0o700)
  await file.close()
})

test('what is appended after a replacement is in the new file, and nothing else is left in the folder', async () => {
  await using host = await TemporaryHost.create({ '/log': 'old\n', '/log.new': 'what a crash left there, and longer' })
  const path = host.system.path('/log')
  const file = new AppendFile(path)
  for (const round of ['1', '2']) {
    await file.replace(bytes(`new ${round}\n`))
    await file.append(bytes('more\n'))
    expect(await readFile(path, 'utf8')).toBe(`new ${round}\nmore\n`)
  }
  expect(await readdir(host.system.root)).toEqual(['log'])
  await file.close()
})

test('a file that cannot be read or replaced: a coded error that names it, and what was there stays', async () => {
  await using host = await TemporaryHost.create()
  const path = host.system.path('/log')
  await mkdir(path)
  const file = new AppendFile(path)
  await expect(file.read()).rejects.toMatchObject({ kind: 'act', message: expect.stringContaining(path) as string })
  await expect(file.replace(bytes('x'))).rejects.toMatchObject({ kind: 'act' })
  await expect(file.append(bytes('x'))).rejects.toThrow(TypeError)
  expect((await lstat(path)).isDirectory()).toBe(true)
})

test('a failed replacement is made good by the next one', async () => {
  await using host = await TemporaryHost.create({ '/state': 'in the way' })
  const folder = host.system.path('/state')
  const file = new AppendFile(join(folder, 'log'))
  await expect(file.replace(bytes('x'))).rejects.toMatchObject({ kind: 'act', code: 'FileFailed' })
  await rm(folder)
  await file.replace(bytes('x'))
  await file.append(bytes('y'))
  expect(await file.read()).toEqual(bytes('xy'))
  await file.close()
})
