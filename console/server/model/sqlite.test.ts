import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempDisposable, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from './database.ts'
import { describeModel } from './model-suite.fixture.ts'

let folder: Awaited<ReturnType<typeof mkdtempDisposable>>
let count = 0
beforeAll(async () => {
  folder = await mkdtempDisposable(join(tmpdir(), 'keelson-sqlite-'))
})
afterAll(async () => folder.remove())

const fresh = async () => `file:${join(folder.path, `${(count += 1)}.db`)}`

describeModel({ name: 'SQLite', fresh })

test('nobody else may read the file, nor those of its log', async () => {
  const url = await fresh()
  const orm = await openDatabase(url)
  const path = url.slice('file:'.length)
  for (const file of [path, `${path}-wal`]) expect((await stat(file)).mode & 0o777).toBe(0o600)
  await orm.close(true)
})

test('a second console is refused, and told what to do', async () => {
  const url = await fresh()
  const child = spawn(process.execPath, [join(import.meta.dirname, 'writer.fixture.ts'), url, 'a'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  await expect(openDatabase(url)).rejects.toMatchObject({
    code: 'DatabaseInUse',
    message: expect.stringMatching(/another process uses .*end the other console, or give both a PostgreSQL/) as string,
  })
  child.kill('SIGKILL')
  await once(child, 'exit')
  await (await openDatabase(url)).close(true)
})

test('a folder that is not there is named', async () => {
  await expect(openDatabase('file:/nowhere/console.db')).rejects.toMatchObject({
    code: 'DatabaseUnreachable',
    message: expect.stringMatching(
      /\/nowhere\/console\.db cannot be opened \(ENOENT\): its folder must exist/,
    ) as string,
  })
})

test('what is no database is refused', async () => {
  const url = await fresh()
  await writeFile(url.slice('file:'.length), 'this is no database at all, but a text of some length'.repeat(100))
  await expect(openDatabase(url)).rejects.toThrow(/not a database/)
})
