import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { controlPlaneBinaries } from './binaries.ts'

describe('KEELSON_TESTBED_BIN', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'keelson-binaries-test-'))
    vi.stubEnv('KEELSON_TESTBED_BIN', directory)
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await rm(directory, { recursive: true, force: true })
  })

  const put = (name: string, mode: number) => writeFile(join(directory, name), '', { mode })

  test('is used if it has all programs', async () => {
    for (const name of ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl']) await put(name, 0o755)
    expect(await controlPlaneBinaries()).toBe(directory)
  })

  test('is refused, with their names, if some are missing or cannot be run', async () => {
    await put('etcd', 0o755)
    await put('kubectl', 0o644)
    await expect(controlPlaneBinaries()).rejects.toThrow(
      `KEELSON_TESTBED_BIN=${directory} lacks kube-apiserver, kube-controller-manager, kubectl: put them there or unset it`,
    )
  })
})
