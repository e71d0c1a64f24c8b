import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { cached, contentKey } from '../cache.ts'
import { mustRun } from '../command.ts'
import { buildBox, layerTimeoutMs } from '../hosts/layers.ts'
import { withEstimate } from '../progress.ts'
import { assertKubeadmAgrees, nodeImages } from './images.ts'

/**
 * The entry of the cache whose `store` is containerd's folder as it is after all images of a node were imported: importing them on each host costs some
 * seconds of each boot.
 *
 * @param layers entries of the cache that a node is made of, the uppermost first
 */
export async function imageStore(layers: readonly string[]): Promise<string> {
  const images = await nodeImages()
  await assertKubeadmAgrees(images)
  const script = join(import.meta.dirname, 'make-store.ts')
  const recipe = ['images.ts', '../images/docker-archive.ts', '../images/shared-libraries.ts']
  const sources = await Promise.all(
    [script, ...recipe.map((name) => join(import.meta.dirname, name))].map((file) => readFile(file)),
  )
  const names = layers.map((layer) => basename(layer))
  return cached('image-store', contentKey(JSON.stringify([names, images]), ...sources), (directory) =>
    withEstimate('cluster', `images of a node, ${images.length}`, 20, async () => {
      const input = { directory, roots: layers.map((layer) => join(layer, 'root')), images }
      const argv = [...buildBox, process.execPath, script]
      await mustRun(argv, { input: JSON.stringify(input), timeoutMs: layerTimeoutMs })
    }),
  )
}

/** Gives a host its own store: the files of an image are never changed, so they are shared; the databases are. */
export async function copyStore(store: string, folder: string): Promise<void> {
  await mustRun(['cp', '--archive', '--link', `${store}/.`, folder])
  const databases = (await mustRun(['find', folder, '-name', '*.db'])).stdout.trim().split('\n')
  for (const database of databases) {
    await mustRun(['cp', '--archive', database, `${database}.own`])
    await mustRun(['mv', `${database}.own`, database])
  }
}
