import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'

let folder: string
beforeAll(async () => {
  // Where everyone may read it: the tree itself may lie in root's home.
  folder = await mkdtemp(join(tmpdir(), 'keelson-run-'))
  await chmod(folder, 0o755)
  await mkdir(join(folder, 'toolchain'))
  await cp(join(import.meta.dirname, 'run'), join(folder, 'toolchain/run'))
  return () => rm(folder, { recursive: true, force: true })
})

async function run(
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ code: number; output: string }> {
  const [program, ...args] = argv
  return promisify(execFile)(program!, args, { env: { ...process.env, ...environment } }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      output: error.stdout + error.stderr,
    }),
  )
}

const sentence = /^Keelson is developed on x86_64 Linux, [^\n]+\.\n$/

test('without root: one sentence and exit 1', async () => {
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--']
  const { code, output } = await run([...nobody, join(folder, 'toolchain/run'), '--machine', 'any.ts'])
  expect(code).toBe(1)
  expect(output).toMatch(sentence)
})

test('on another system: one sentence and exit 1', async () => {
  const programs = join(folder, 'programs')
  await mkdir(programs)
  await writeFile(join(programs, 'uname'), '#!/bin/sh\necho Darwin\n', { mode: 0o755 })
  const { code, output } = await run([join(folder, 'toolchain/run'), 'any.ts'], {
    PATH: `${programs}:${process.env['PATH']}`,
  })
  expect(code).toBe(1)
  expect(output).toMatch(sentence)
})
