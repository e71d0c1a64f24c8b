import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadKubeconfig } from '@keelson/kube'
import { expect, test } from 'vitest'
import { kubeconfigOf } from './token-kubeconfig.ts'

const ca = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'

test.each([ca, undefined])('a kubeconfig says where, who and in which namespace', async (authority) => {
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'))
  try {
    const path = join(folder, 'config')
    const cluster = { server: 'https://kubernetes.example:6443', ca: authority }
    await writeFile(path, kubeconfigOf({ cluster, account: '0123', token: 'a.b.c', namespace: 'true' }))
    expect(await loadKubeconfig(path)).toMatchObject({
      server: 'https://kubernetes.example:6443',
      ca: authority,
      credentials: { token: 'a.b.c' },
      namespace: 'true',
    })
  } finally {
    await rm(folder, { recursive: true })
  }
})
