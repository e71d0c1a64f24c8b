import { chmod, copyFile, mkdir, readFile, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { productVersion } from '@keelson/api/product-version'
import { bundleExecutable } from '@keelson/cli/bundle'
import { changeRoot, deployFolder, imageEntrypoint, imageReference, imageUser, layOutImage } from '@keelson/deploy'
import { cached, contentKey } from '../cache.ts'
import { baseLayer } from '../hosts/layers.ts'
import { report } from '../progress.ts'
import { consolePages } from '../world/console-pages.ts'
import { bundled } from '../world/unit-layer.ts'
import { dockerArchive } from './docker-archive.ts'
import { copySharedLibraries } from './shared-libraries.ts'

export type KeelsonImage = {
  /** What it tells as its version, and its tag; default: that of this tree. */
  readonly version?: string
  /** With an agent that says why it cannot start and ends, again and again. */
  readonly brokenAgent?: boolean
}

/** What the archive depends on beside the files of the image. */
const recipe = ['image/image.ts', 'image/lay-out.ts', 'systemd/keelson-agent.service']
  .map((name) => join(deployFolder, name))
  .concat(
    ['docker-archive.ts', 'shared-libraries.ts', 'keelson-image.ts'].map((name) => join(import.meta.dirname, name)),
  )

/**
 * The image as an archive of docker, without docker: what the Dockerfile puts into it, by the same program, over chroot and the shared libraries of the hosts'
 * own Debian, where the Dockerfile takes those of a Debian image and of distroless. Node is the one that runs this. Outside a capsule it is made if
 * need be; inside it is found, if it was made before with the same options.
 *
 * @returns path of the file
 */
export async function imageArchive({
  version = productVersion,
  brokenAgent = false,
}: KeelsonImage = {}): Promise<string> {
  const agentEntry = join(import.meta.dirname, 'broken-agent.fixture.ts')
  const executable = { version, ...(brokenAgent ? { agentEntry } : {}) }
  const [files, pages, base] = [
    await bundled((directory) => bundleExecutable(directory, executable)),
    await consolePages(),
    await baseLayer(),
  ]
  const sources = await Promise.all(recipe.map((file) => readFile(file)))
  const key = contentKey(...[...files].flat(), ...sources, basename(pages), basename(base), version, process.version)
  const entry = await cached('keelson-image', key, async (directory) => {
    report('image', `making ${imageReference(version)}`)
    const tree = join(directory, 'tree')
    await layOutImage(tree, { ...executable, pages })
    await layOutBase(tree, join(base, 'root'))
    const out = join(directory, 'keelson.tar')
    const reference = imageReference(version)
    await dockerArchive({ reference, tree, out, entrypoint: imageEntrypoint, user: imageUser })
    await rm(tree, { recursive: true })
  })
  return join(entry, 'keelson.tar')
}

/** What the base image of the Dockerfile has of this, and chroot. */
async function layOutBase(tree: string, debian: string): Promise<void> {
  await mkdir(join(tree, dirname(changeRoot)), { recursive: true })
  await copyFile(join(debian, changeRoot), join(tree, changeRoot))
  for (const program of [imageEntrypoint[0], changeRoot]) await copySharedLibraries(join(tree, program), debian, tree)
  await mkdir(join(tree, 'tmp'))
  await chmod(join(tree, 'tmp'), 0o1777)
}
