import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KubernetesObject } from '@keelson/kube'
import { parse, stringify } from 'yaml'
import type { Cluster } from '../../cluster/cluster.ts'

/** A kubeconfig with the token that the kubelet of its Node has written for a Pod. */
export async function podCredentials(cluster: Cluster, node: string, pod: KubernetesObject): Promise<string> {
  const folder = `/var/lib/kubelet/pods/${pod.metadata.uid}/volumes`
  const { stdout } = await cluster
    .host(node)
    .run(['find', folder, '-type', 'l', '-name', 'token', '-exec', 'cat', '{}', ';'])
  const admin = parse(await readFile(cluster.adminKubeconfig, 'utf8')) as {
    readonly users: readonly { name: string }[]
  }
  const users = admin.users.map(({ name }) => ({ name, user: { token: stdout.trim() } }))
  const path = join(cluster.directory, `${pod.metadata.name}.kubeconfig`)
  await writeFile(path, stringify({ ...admin, users }), { mode: 0o600 })
  return path
}
