import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../deadline.ts'
import { CertificateAuthority } from '../pki.ts'
import { ControlPlane } from './control-plane.ts'
import { httpsCall } from './https-call.ts'

const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('keelson-control-plane-'))

describe('a control plane', () => {
  let cluster: ControlPlane
  beforeAll(async () => {
    const begin = performance.now()
    cluster = await ControlPlane.start()
    console.log(`ready after ${((performance.now() - begin) / 1_000).toFixed(1)} s`)
    return () => cluster[Symbol.asyncDispose]()
  })

  const file = (name: string) => readFileSync(join(cluster.directory, name))

  test('is of the pinned version', async () => {
    expect((await cluster.kubectl(['version', '-o', 'json'])).stdout).toContain('"gitVersion": "v1.37.2"')
  })

  test('shows a certificate that only its own authority vouches for', async () => {
    const url = `${cluster.server}/readyz`
    expect(await httpsCall(url, { ca: file('ca.crt') })).toEqual({ status: 200, body: 'ok' })
    const { certificate } = await CertificateAuthority.create('testbed')
    await expect(httpsCall(url, { ca: certificate })).rejects.toMatchObject({
      code: expect.stringMatching(/UNABLE_TO_VERIFY|SELF_SIGNED|SIGNATURE/),
    })
  })

  test('lets its etcd be read with a certificate only', async () => {
    const url = `${cluster.etcdServer}/health`
    const ca = file('ca.crt')
    const client = { ca, cert: file('etcd-client.crt'), key: file('etcd-client.key') }
    expect(await httpsCall(url, client)).toMatchObject({ status: 200 })
    await expect(httpsCall(url, { ca })).rejects.toMatchObject({
      code: expect.stringMatching(/CERTIFICATE_REQUIRED|ECONNRESET/),
    })
  })

  test('tells nobody whom it does not know anything', async () => {
    const answer = await httpsCall(`${cluster.server}/api/v1/namespaces`, { ca: file('ca.crt') })
    expect(answer).toMatchObject({ status: 403, body: expect.stringContaining('User \\"system:anonymous\\"') })
  })

  test('asks RBAC and writes down who did what', async () => {
    const account = await cluster.serviceAccountKubeconfig('default', 'nobody')
    const refused = await cluster.kubectl(['get', 'nodes'], { kubeconfig: account })
    expect(refused.stderr).toContain('nodes is forbidden: User "system:serviceaccount:default:nobody"')
    expect(await readFile(cluster.auditLog, 'utf8')).toContain('system:serviceaccount:default:nobody')
  })

  test('gives Pods the token of an account that exists, and no other', async () => {
    const pod = (account: string) => {
      const spec = { serviceAccountName: account, containers: [{ name: 'only', image: 'none' }] }
      const input = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: account }, spec })
      return cluster.kubectl(['create', '--filename', '-', '--output=jsonpath={.spec.volumes[*].name}'], { input })
    }
    await cluster.serviceAccountKubeconfig('default', 'somebody')
    expect((await pod('somebody')).stdout).toMatch(/^kube-api-access-/)
    expect((await pod('missing')).stderr).toContain('error looking up service account default/missing')
  })

  test('keeps its data over a compaction and the death of its API server', async () => {
    await cluster.kubectl(['create', 'configmap', 'kept', '--from-literal=a=b'])
    await cluster.compact()
    await cluster.killApiServer()
    expect((await cluster.kubectl(['get', 'configmap', 'kept'])).exitCode).not.toBe(0)
    await cluster.startApiServer()
    expect((await cluster.kubectl(['get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}'])).stdout).toBe('b')
  })

  test('has a controller manager at work', async () => {
    const read = ['get', 'configmap', 'kube-root-ca.crt', '--output=jsonpath={.data.ca\\.crt}']
    // Only it makes this one.
    const published = await eventually(
      'the root certificate is published',
      async () => (await cluster.kubectl(read)).stdout || undefined,
      30_000,
    )
    expect(published).toBe(file('ca.crt').toString())
  })
})

test('one that cannot start says why at once, and leaves no file', async () => {
  const before = folders()
  const start = ControlPlane.start({ apiServerFlags: ['--no-such-flag'] })
  await expect(start).rejects.toThrow(/^kube-apiserver has ended \(exit 1\):[^]*unknown flag: --no-such-flag/)
  expect(folders()).toEqual(before)
})

test('one that is disposed of leaves no file and answers no more', async () => {
  const before = folders()
  let directory = ''
  let address = new URL('https://127.0.0.1')
  {
    await using cluster = await ControlPlane.start({ controllerManager: false })
    directory = cluster.directory
    address = new URL(cluster.server)
  }
  expect(folders()).toEqual(before)
  expect(() => readdirSync(directory)).toThrow('ENOENT')
  await expect(fetch(address)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
})
