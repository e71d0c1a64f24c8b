import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { eventually } from '../deadline.ts'
import { ControlPlane } from './control-plane.ts'

test('a control plane starts, answers with RBAC and audit, survives a killed API server and ends', async () => {
  let directory = ''
  {
    await using cluster = await ControlPlane.start()
    directory = cluster.directory
    expect((await cluster.kubectl(['version', '-o', 'json'])).stdout).toContain('"gitVersion": "v1.37.2"')

    const account = await cluster.serviceAccountKubeconfig('default', 'nobody')
    const refused = await cluster.kubectl(['get', 'nodes'], { kubeconfig: account })
    expect(refused.stderr).toContain('nodes is forbidden: User "system:serviceaccount:default:nobody"')
    expect(await readFile(cluster.auditLog, 'utf8')).toContain('system:serviceaccount:default:nobody')

    await cluster.kubectl(['create', 'configmap', 'kept', '--from-literal=a=b'])
    await cluster.compact()
    await cluster.killApiServer()
    expect((await cluster.kubectl(['get', 'configmap', 'kept'])).exitCode).not.toBe(0)
    await cluster.startApiServer()
    expect((await cluster.kubectl(['get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}'])).stdout).toBe('b')

    // Only the controller manager makes this one.
    await eventually(
      'the root certificate is published',
      async () => (await cluster.kubectl(['get', 'configmap', 'kube-root-ca.crt'])).exitCode === 0,
      30_000,
    )
  }
  await expect(readFile(`${directory}/ca.crt`)).rejects.toThrow('ENOENT')
})
