import { chmod, copyFile, cp, mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { contentKey } from '../cache.ts'
import { controlPlaneBinaries } from '../control-plane/binaries.ts'
import { baseLayer, fileLayer, packageLayer, webLayer } from '../hosts/layers.ts'
import { programs } from '../programs/programs.ts'

/** What kubelet, containerd, kube-proxy and the network plug-ins call; busybox for pods that tests start. */
const packages = [
  ...['runc', 'libseccomp2', 'iptables', 'nftables', 'conntrack', 'ethtool', 'socat', 'mount', 'util-linux'],
  'busybox',
]

/** The configuration of a node that is the same on all, as it lies on them. */
const files = join(import.meta.dirname, 'node')

const units = ['kernel-settings.service', 'containerd.service', 'kubelet.service']

/** Entries of the cache that a host is made of which is ready for `kubeadm`, the uppermost first. */
export async function nodeLayers(): Promise<string[]> {
  const base = await baseLayer()
  const web = await webLayer(base)
  const below = [web, base]
  const tools = await packageLayer({ kind: 'node-tools', below, packages, estimate: 30 })
  return [await nodeLayer(), tools, ...below]
}

/** Programs and configuration. */
async function nodeLayer(): Promise<string> {
  const [node, containerd, plugins, wrapper, controlPlane] = [
    await programs('node'),
    await programs('containerd'),
    await programs('cni-plugins'),
    await programs('runc-without-limits'),
    await controlPlaneBinaries(),
  ]
  const places: Readonly<Record<string, string>> = {
    '/usr/bin/kubeadm': join(node, 'kubeadm'),
    '/usr/bin/kubelet': join(node, 'kubelet'),
    '/usr/bin/kubectl': join(controlPlane, 'kubectl'),
    '/usr/local/sbin/runc': join(wrapper, 'runc-without-limits'),
    ...(await inFolder('/usr/local/bin', containerd)),
    ...(await inFolder('/opt/cni/bin', plugins)),
  }
  const configuration = (await readdir(files, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted()
  const contents = await Promise.all(configuration.map((file) => readFile(file)))
  const names = configuration.map((file) => relative(files, file))
  const sources = [node, containerd, plugins, wrapper, controlPlane].map((folder) => basename(folder))
  const key = contentKey(JSON.stringify([Object.keys(places), names, units, sources]), ...contents)
  return fileLayer('node', key, async (root) => {
    await cp(files, root, { recursive: true })
    for (const [place, source] of Object.entries(places)) {
      await mkdir(dirname(join(root, place)), { recursive: true })
      await copyFile(source, join(root, place))
      await chmod(join(root, place), 0o755)
    }
    await symlink('/usr/sbin/runc', join(root, 'usr/local/sbin/runc.real'))
    const wants = join(root, 'etc/systemd/system/multi-user.target.wants')
    await mkdir(wants)
    for (const unit of units) await symlink(`/etc/systemd/system/${unit}`, join(wants, unit))
  })
}

async function inFolder(place: string, folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).toSorted()
  return Object.fromEntries(names.map((name) => [join(place, name), join(folder, name)]))
}
