import { chmod, lstat, mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { replaceFile } from './atomic-file.ts'
import { fileError } from './resource-error.ts'
import { TemporaryHost } from './temporary-host.fixture.ts'

const attributes = { mode: 0o640, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

describe('replaceFile', () => {
  test('writes any bytes as they are, and leaves nothing else in the folder', async () => {
    await using host = await TemporaryHost.create({ '/etc/d/x.conf': 'old' })
    const path = host.system.path('/etc/d/x.conf')
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 70_000, size: 'max' }), async (bytes) => {
        await replaceFile(path, Buffer.from(bytes), attributes)
        expect(Buffer.compare(await readFile(path), bytes)).toBe(0)
        expect(await readdir(dirname(path))).toEqual(['x.conf'])
      }),
      { numRuns: 30 },
    )
  })

  test('a new file gets the attributes that were asked for, whatever the umask', async () => {
    await using host = await TemporaryHost.create({ '/etc/other': '' })
    await replaceFile(host.system.path('/etc/new'), Buffer.from('x'), { ...attributes, mode: 0o666 })
    expect((await lstat(host.system.path('/etc/new'))).mode & 0o7777).toBe(0o666)
  })

  test('a file that exists keeps its mode', async () => {
    await using host = await TemporaryHost.create({ '/etc/old': 'x' })
    const path = host.system.path('/etc/old')
    await chmod(path, 0o4711)
    await replaceFile(path, Buffer.from('y'), attributes)
    expect((await lstat(path)).mode & 0o7777).toBe(0o4711)
  })

  test('readers see old or new, never a part', async () => {
    await using host = await TemporaryHost.create({ '/etc/x': 'a'.repeat(200_000) })
    const path = host.system.path('/etc/x')
    const seen = new Set<string>()
    const written = new AbortController()
    const reader = (async () => {
      do {
        const content = await readFile(path, 'latin1')
        seen.add(`${new Set(content).size} letter, ${content.length} bytes`)
      } while (!written.signal.aborted)
    })()
    for (const letter of 'bcdefghij') await replaceFile(path, Buffer.from(letter.repeat(200_000)), attributes)
    written.abort()
    await reader
    expect([...seen]).toEqual(['1 letter, 200000 bytes'])
  })

  test('refuses a symbolic link and leaves both ends alone', async () => {
    await using host = await TemporaryHost.create({ '/etc/real': 'old' })
    await symlink('real', host.system.path('/etc/link'))
    await expect(replaceFile(host.system.path('/etc/link'), Buffer.from('new'), attributes)).rejects.toMatchObject({
      kind: 'act',
      code: 'TargetIsSymlink',
    })
    expect(await host.text('/etc/real')).toBe('old')
    expect(await readdir(host.system.path('/etc'))).toEqual(['link', 'real'])
  })

  test('refuses a dangling symbolic link', async () => {
    await using host = await TemporaryHost.create({ '/etc/other': '' })
    await symlink('missing', host.system.path('/etc/link'))
    const replaced = replaceFile(host.system.path('/etc/link'), Buffer.from('new'), attributes)
    await expect(replaced).rejects.toMatchObject({ code: 'TargetIsSymlink' })
  })

  test('refuses a folder, and a folder that is not there', async () => {
    await using host = await TemporaryHost.create()
    await mkdir(host.system.path('/etc/x.conf'), { recursive: true })
    const folder = replaceFile(host.system.path('/etc/x.conf'), Buffer.from('x'), attributes)
    await expect(folder).rejects.toMatchObject({ code: 'TargetNotRegular' })
    const missing = replaceFile(host.system.path('/nowhere/x.conf'), Buffer.from('x'), attributes)
    await expect(missing).rejects.toMatchObject({ code: 'FolderMissing' })
  })

  test('a mounted file cannot be renamed over: EBUSY has its own code and remedy', () => {
    const busy = Object.assign(new Error('EBUSY'), { code: 'EBUSY' })
    expect(fileError('/etc/hosts', busy)).toMatchObject({
      code: 'TargetIsMounted',
      message: expect.stringContaining('unmount') as string,
    })
  })
})
