import { spawnSync } from 'node:child_process'
import { mkdtempDisposableSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { customResourceDefinitions } from './index.ts'

function generate(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'generate.ts'), ...args], {
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

test('what is in git is what would be generated', () => {
  expect(generate('--check')).toEqual({ status: 0, stdout: '', stderr: '' })
})

test('writes what is stale, and names it where it only checks', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'keelson-crds-'))
  const [hosts, requests] = Object.keys(customResourceDefinitions()).map((name) => join(folder.path, name)) as [
    string,
    string,
  ]

  expect(generate(folder.path)).toMatchObject({ status: 0, stdout: `${hosts}\n${requests}\n` })
  expect(readFileSync(hosts, 'utf8')).toBe(customResourceDefinitions()['hosts.keelson.dev.yaml'])
  expect(generate('--check', folder.path)).toMatchObject({ status: 0 })

  writeFileSync(hosts, 'edited')
  rmSync(requests)
  const check = generate('--check', folder.path)
  expect(check.status).toBe(1)
  expect(check.stderr).toContain(`${hosts} is stale`)
  expect(check.stderr).toContain(`${requests} is stale`)
  expect(readFileSync(hosts, 'utf8')).toBe('edited')

  expect(generate(folder.path)).toMatchObject({ status: 0, stdout: `${hosts}\n${requests}\n` })
  expect(generate('--check', folder.path)).toMatchObject({ status: 0 })
})
