import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { contentKey } from '../cache.ts'
import type { ControlPlane } from '../control-plane/control-plane.ts'
import { fileLayer } from '../hosts/layers.ts'
import { bundleKubelet } from '../kubelet/bundle.ts'
import { bundled, enableUnit, writeFiles } from './unit-layer.ts'

const unit = 'kubelet.service'

/** The stand-in for the kubelet and its unit, enabled; it uses the agent's Node. Without {@link kubeletFiles} it stays off. */
export async function kubeletLayer(): Promise<string> {
  const files = await bundled(bundleKubelet)
  const unitText = await readFile(resolve(import.meta.dirname, '../kubelet', unit), 'utf8')
  return fileLayer('kubelet', contentKey(...[...files].flat(), unitText), async (root) => {
    await writeFiles(join(root, 'opt/testbed'), files)
    await enableUnit(root, unit, unitText)
  })
}

/** What `kubeadm join` leaves on a host: the credentials of its Node and the flags of its kubelet. */
export async function kubeletFiles(
  cluster: ControlPlane,
  { name, address }: { readonly name: string; readonly address: string },
): Promise<Record<string, string>> {
  const flags = `--hostname-override=${name} --node-ip=${address}`
  return {
    '/etc/kubernetes/kubelet.conf': await cluster.certificateKubeconfig(`CN=system:node:${name},O=system:nodes`),
    '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf': `[Service]\nEnvironment="KUBELET_EXTRA_ARGS=${flags}"\n`,
  }
}
