import { mkdir, rm, writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'
import { mustRun, runCommand } from '../command.ts'
import { Daemon } from '../daemon.ts'
import { eventually } from '../deadline.ts'
import { dockerArchive } from '../images/docker-archive.ts'
import { layOut, type NodeImage } from './images.ts'

/**
 * Makes the images of a node and has its containerd import them. Runs in a mount namespace of its own.
 *
 * Standard input: JSON with the folder that gets `store`, the root folders of a node's layers, the uppermost first, and the images.
 */
const { directory, roots, images } = JSON.parse(await text(process.stdin)) as {
  readonly directory: string
  readonly roots: readonly string[]
  readonly images: readonly NodeImage[]
}

// In memory, as containerd's snapshots cannot lie on an overlay, and the cache may; and short, as the path of a socket must be.
const work = '/run'
await mustRun(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', work])
const [node, root, archive] = ['node', 'root', 'image.tar'].map((name) => join(work, name)) as [string, string, string]
await mkdir(node)
await mustRun(['mount', '-t', 'overlay', 'overlay', '-o', `ro,lowerdir=${roots.join(':')}`, node])

const configuration = join(work, 'config.toml')
await writeFile(
  configuration,
  `version = 3
root = '${root}'
state = '${work}/state'
disabled_plugins = ['io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.images', 'io.containerd.cri.v1.runtime', 'io.containerd.nri.v1.nri']
[grpc]
  address = '${work}/containerd.sock'
[ttrpc]
  address = '${work}/containerd.sock.ttrpc'
`,
)
const program = (name: string) => join(node, 'usr/local/bin', name)
const ctr = (...args: string[]) => [program('ctr'), `--address=${work}/containerd.sock`, '--namespace=k8s.io', ...args]
const containerd = new Daemon('containerd', [program('containerd'), `--config=${configuration}`], {
  log: join(work, 'containerd.log'),
})
await eventually(
  'containerd answers',
  async () => !containerd.running || (await runCommand(ctr('version'))).exitCode === 0,
  30_000,
)
await containerd.assertRunning()
for (const image of images) {
  const tree = join(work, 'tree')
  await layOut(image, tree, node)
  await dockerArchive({ reference: image.reference, tree, out: archive, entrypoint: image.entrypoint })
  // Unpacked they are all that containers need: the layers themselves would take as much room again.
  await mustRun(ctr('images', 'import', '--local', '--discard-unpacked-layers', archive), { timeoutMs: 300_000 })
  await rm(tree, { recursive: true })
}
await mustRun(ctr('content', 'prune', 'references'))
await containerd.stop()

// Each containerd makes its own.
await rm(join(root, 'io.containerd.grpc.v1.introspection'), { recursive: true })
await mustRun(['cp', '--archive', root, join(directory, 'store')])
