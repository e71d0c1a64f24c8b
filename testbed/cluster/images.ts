import { chmod, copyFile, mkdir, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { mustRun } from '../command.ts'
import { controlPlaneBinaries } from '../control-plane/binaries.ts'
import { copySharedLibraries } from '../images/shared-libraries.ts'
import { moduleVersion, programs, requiredVersion } from '../programs/programs.ts'

/** An image that is made of built programs and of files of a node. */
export type NodeImage = {
  readonly reference: string
  /** Program on this machine by its path in the image. */
  readonly programs: Readonly<Record<string, string>>
  /** Programs of the node's Debian, taken with the shared libraries that they need. */
  readonly debian?: readonly string[]
  /** By path in the image, what it points to. */
  readonly links?: Readonly<Record<string, string>>
  readonly entrypoint: readonly string[]
}

/** As kubeadm wants it; no Go module tells it. */
const pauseVersion = '3.10.2'

/** A shell and small tools, for pods that tests start. */
export const busyboxImage = 'testbed.keelson.dev/busybox:1'

const applets = [
  'sh',
  'cat',
  'echo',
  'httpd',
  'hostname',
  'ls',
  'mkdir',
  'nc',
  'nslookup',
  'sleep',
  'test',
  'true',
  'wget',
]

/** The version of Kubernetes that is built, with its `v`. */
export async function kubernetesVersion(): Promise<string> {
  return `v${await moduleVersion('node')}`
}

/** What a node of a cluster made by kubeadm runs, and {@link busyboxImage}. */
export async function nodeImages(): Promise<NodeImage[]> {
  const [controlPlane, node] = [await controlPlaneBinaries(), await programs('node')]
  const version = await kubernetesVersion()
  const image = (name: string, tag: string, program: string, more: Partial<NodeImage> = {}): NodeImage => ({
    reference: `registry.k8s.io/${name}:${tag}`,
    programs: { [`/usr/local/bin/${program.split('/').at(-1)}`]: program },
    entrypoint: [`/usr/local/bin/${program.split('/').at(-1)}`],
    ...more,
  })
  const kubernetes = (folder: string, name: string, more?: Partial<NodeImage>) =>
    image(name, version, join(folder, name), more)
  const etcd = await requiredVersion(
    join(import.meta.dirname, '../programs/kubernetes/go.mod'),
    'go.etcd.io/etcd/server/v3',
  )
  return [
    kubernetes(controlPlane, 'kube-apiserver'),
    kubernetes(controlPlane, 'kube-controller-manager'),
    kubernetes(node, 'kube-scheduler'),
    kubernetes(node, 'kube-proxy', { debian: ['/usr/sbin/nft'] }),
    image('etcd', `${etcd}-0`, join(controlPlane, 'etcd')),
    image('coredns/coredns', `v${await moduleVersion('coredns')}`, join(await programs('coredns'), 'coredns')),
    image('pause', pauseVersion, join(await programs('pause'), 'pause')),
    {
      reference: busyboxImage,
      programs: {},
      debian: ['/bin/busybox'],
      links: Object.fromEntries(applets.map((name) => [`/usr/bin/${name}`, '/bin/busybox'])),
      entrypoint: ['/bin/busybox'],
    },
  ]
}

/**
 * Throws unless the images are those that kubeadm asks for: a version that is raised in one go.mod may have to be raised in another.
 */
export async function assertKubeadmAgrees(images: readonly NodeImage[]): Promise<void> {
  const kubeadm = join(await programs('node'), 'kubeadm')
  const argv = [kubeadm, 'config', 'images', 'list', `--kubernetes-version=${await kubernetesVersion()}`]
  const wanted = (await mustRun(argv)).stdout.trim().split('\n')
  const made = images.map(({ reference }) => reference)
  const missing = wanted.filter((reference) => !made.includes(reference))
  if (missing.length > 0)
    throw new Error(
      `kubeadm wants ${missing.join(', ')}, and testbed/programs makes ${made.join(', ')}: align the versions`,
    )
}

/** Lays out an image's root folder; `debian` is the root of a node. */
export async function layOut(image: NodeImage, tree: string, debian: string): Promise<void> {
  for (const folder of ['etc', 'tmp', 'usr/bin']) await mkdir(join(tree, folder), { recursive: true })
  await chmod(join(tree, 'tmp'), 0o1777)
  for (const [place, source] of Object.entries(image.programs)) await put(source, join(tree, place))
  for (const program of image.debian ?? []) {
    await put(join(debian, program), join(tree, program))
    await copySharedLibraries(join(tree, program), debian, tree)
  }
  for (const [place, target] of Object.entries(image.links ?? {})) await symlink(target, join(tree, place))
}

async function put(source: string, place: string): Promise<void> {
  await mkdir(dirname(place), { recursive: true })
  await copyFile(source, place)
}
