import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { mustRun } from '../command.ts'

export type DockerArchiveOptions = {
  /** The image's name with its tag, in full: `registry/name:tag`. */
  readonly reference: string
  /** Folder that becomes the root of the image, with the modes and links it has; everything belongs to root. */
  readonly tree: string
  /** File that is written. */
  readonly out: string
  readonly entrypoint: readonly string[]
  /** As in a Dockerfile's USER; the default is root. */
  readonly user?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Equal trees make equal archives. */
const reproducible = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu']

/**
 * Makes an image of one layer from a folder, without a container engine: an archive as `docker save` writes it, which containerd, docker and podman load.
 * The format is the image specification of Docker, v1.2.
 */
export async function dockerArchive(options: DockerArchiveOptions): Promise<void> {
  const { reference, tree, out, entrypoint, user, env = {} } = options
  await mkdir(dirname(out), { recursive: true })
  // Beside the result, so that a layer of some hundred megabytes is not moved between file systems.
  const stage = await mkdtemp(`${out}.`)
  try {
    const layer = join(stage, 'layer.tar')
    await tar(layer, tree, ['.'])
    const digest = await digestOf(layer)
    const configuration = JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config: {
        Entrypoint: entrypoint,
        Env: Object.entries({ PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...env }).map(
          ([name, value]) => `${name}=${value}`,
        ),
        WorkingDir: '/',
        ...(user === undefined ? {} : { User: user }),
      },
      rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
      history: [{ created: '1970-01-01T00:00:00Z', created_by: 'dockerArchive' }],
    })
    const configurationFile = `${createHash('sha256').update(configuration).digest('hex')}.json`
    const layerFile = `${digest}/layer.tar`
    await writeFile(join(stage, configurationFile), configuration)
    await mkdir(join(stage, digest))
    await rename(layer, join(stage, layerFile))
    const manifest = [{ Config: configurationFile, RepoTags: [reference], Layers: [layerFile] }]
    await writeFile(join(stage, 'manifest.json'), JSON.stringify(manifest))
    await tar(out, stage, ['manifest.json', configurationFile, layerFile])
  } finally {
    await rm(stage, { recursive: true, force: true })
  }
}

async function tar(file: string, directory: string, names: readonly string[]): Promise<void> {
  const argv = ['tar', '--create', `--file=${file}`, `--directory=${directory}`, ...reproducible, '--', ...names]
  await mustRun(argv, { timeoutMs: 600_000 })
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}
