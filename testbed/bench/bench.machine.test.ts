import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../command.ts'
import type { Result } from './result.ts'

// So few hosts say nothing of speed: the limits may hold or not.
test('a small bench measures all there is, tells it in a table and writes it down', async () => {
  const output = await mkdtemp(join(tmpdir(), 'keelson-bench-test-'))
  onTestFinished(() => rm(output, { recursive: true, force: true }))
  const flags = [`--output=${output}`, '--hosts=40', '--pairs=1', '--small=3']
  const { stdout, exitCode } = await runCommand([process.execPath, join(import.meta.dirname, 'start.ts'), ...flags])
  const results = JSON.parse(await readFile(join(output, 'results.json'), 'utf8')) as Result[]
  expect(results.length).toBeGreaterThan(10)
  expect(new Set(results.map(({ name }) => name)).size).toBe(results.length)
  for (const each of results) {
    expect(stdout).toContain(`${each.value} ${each.unit}`)
    expect(each.value).toBeGreaterThan(0)
    expect(each).toMatchObject({ holds: each.limit === null ? null : each.value <= each.limit })
  }
  expect(exitCode).toBe(results.every(({ holds }) => holds !== false) ? 0 : 1)
})
