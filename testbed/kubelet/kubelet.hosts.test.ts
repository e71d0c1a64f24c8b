import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ForbiddenError, kinds, KubeClient, NotFoundError } from '@keelson/kube'
import { expect, test } from 'vitest'
import { eventually } from '../deadline.ts'
import { sharedWorld } from '../world/shared-world.ts'
import type { World } from '../world/world.ts'

let world: World
sharedWorld({ hosts: 4, operator: false }, (shared) => (world = shared.world))

async function ready(name: string): Promise<string | undefined> {
  const { status } = await world.client.get(kinds.Node, { name })
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status
}

/** The grace period is 12 s, and the controller looks every 2 s. */
const becomes = (name: string, status: string) =>
  eventually(`the Node ${name} is Ready=${status}`, async () => (await ready(name)) === status, 40_000)

test('a host registers its Node, with the address and the name that its kubelet is told', async () => {
  for (const { name, address } of world.lab.hosts) {
    const { metadata, status } = await world.client.get(kinds.Node, { name })
    expect(metadata.labels).toMatchObject({ 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' })
    expect(status?.addresses).toEqual([
      { type: 'InternalIP', address },
      { type: 'Hostname', address: name },
    ])
    expect(await ready(name)).toBe('True')
    expect(await world.host(name).read(['stat', '--format=%a %U', '/etc/kubernetes/kubelet.conf'])).toBe('600 root')
  }
  const labelled = await world.kubectl('get', 'nodes', '--selector=node-role.kubernetes.io/control-plane', '-o=name')
  expect(labelled).toBe('node/control-plane')
})

test('its credentials are good for its own Node alone, and not for a role', async () => {
  const path = join(world.cluster.directory, 'of-worker-1.kubeconfig')
  await writeFile(path, await readFile(join(world.host('worker-1').root, 'etc/kubernetes/kubelet.conf')), {
    mode: 0o600,
  })
  await using kubelet = await KubeClient.fromKubeconfig(path)
  const label = (name: string, key: string) =>
    kubelet.patch(kinds.Node, { name }, { metadata: { labels: { [key]: '' } } })
  await label('worker-1', 'rack')
  await expect(label('worker-1', 'node-role.kubernetes.io/control-plane')).rejects.toThrow(ForbiddenError)
  await expect(label('worker-2', 'rack')).rejects.toThrow(ForbiddenError)
  const status = { conditions: [{ type: 'Ready', status: 'False' }] }
  await expect(kubelet.patch(kinds.Node, { name: 'worker-2' }, { status }, { subresource: 'status' })).rejects.toThrow(
    ForbiddenError,
  )
  const lease = (name: string) =>
    kubelet.patch(kinds.Lease, { name, namespace: 'kube-node-lease' }, { spec: { holderIdentity: 'worker-1' } })
  await lease('worker-1')
  await expect(lease('worker-2')).rejects.toThrow(ForbiddenError)
})

test('silent for the grace period, a Node is Unknown: stopped kubelet, partition and power cut alike; and Ready again after', async () => {
  const [stopped, cut, off] = ['worker-1', 'worker-2', 'worker-3'] as const
  await world.host(stopped).run(['systemctl', 'stop', 'kubelet'])
  // Not killed for its time limit of a second, that is.
  expect(await world.host(stopped).read(['systemctl', 'show', '--property=Result', '--value', 'kubelet'])).toBe(
    'success',
  )
  await world.host(cut).partition()
  await world.host(off).powerCut()
  expect([await ready(stopped), await ready(cut), await ready(off)]).toEqual(['True', 'True', 'True'])
  await Promise.all([stopped, cut, off].map((name) => becomes(name, 'Unknown')))
  expect(await ready('control-plane')).toBe('True')
  expect(await world.host(cut).read(['systemctl', 'is-active', 'kubelet'])).toBe('active')

  await world.host(stopped).run(['systemctl', 'start', 'kubelet'])
  await world.host(cut).heal()
  await world.host(off).powerOn()
  await Promise.all([stopped, cut, off].map((name) => becomes(name, 'True')))
})

test('a Node that is deleted stays away until the kubelet starts again', async () => {
  const name = 'worker-1'
  await world.kubectl('delete', 'node', name)
  const journal = () => world.host(name).read(['journalctl', '--unit=kubelet', '--output=cat'])
  await eventually('its kubelet has seen it', async () => (await journal()).includes('not found'))
  await expect(world.client.get(kinds.Node, { name })).rejects.toThrow(NotFoundError)
  await world.host(name).run(['systemctl', 'restart', 'kubelet'])
  await becomes(name, 'True')
})
