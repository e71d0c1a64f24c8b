import { chmod, copyFile, cp, mkdir, readdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { productVersion } from '@keelson/api/product-version'
import { bundleExecutable, type ExecutableOptions } from '@keelson/cli/bundle'
import { programFolder } from './image.ts'

export type ImageOptions = ExecutableOptions & {
  /** Folder of built pages of the console; default: they are built, which takes some seconds. */
  readonly pages?: string
}

type Part = {
  /** A file, or a folder with all that is in it; below {@link programFolder}. */
  readonly path: string
  /** Puts it at the absolute path `target`, whose folder is there. */
  readonly lay: (target: string, options: ImageOptions) => Promise<void>
}

const agentUnit = resolve(import.meta.dirname, '../systemd/keelson-agent.service')

/** What a host needs: a release. */
const releaseParts: readonly Part[] = [
  // That which runs this: in the Dockerfile the official one, in the test world that of the lock file.
  { path: 'bin/node', lay: async (target) => copyFile(process.execPath, target) },
  // With lib/ beside it.
  { path: 'keelson.mjs', lay: async (target, options) => bundleExecutable(dirname(target), options) },
  { path: 'systemd/keelson-agent.service', lay: async (target) => copyFile(agentUnit, target) },
  {
    path: 'version',
    lay: async (target, { version = productVersion }) => writeFile(target, `${version}\n`),
  },
]

/** The whole list; the image has nothing of ours beside it. */
const imageParts: readonly Part[] = [...releaseParts, { path: 'pages', lay: layPages }]

/** Lays into an empty folder what lies in the root folder of the image. The same sources give the same content and modes; times are those of the writing. */
export async function layOutImage(directory: string, options: ImageOptions = {}): Promise<void> {
  await layOut(join(directory, programFolder), imageParts, options)
  await setModes(directory)
}

/** Lays into an empty folder what the installer copies to hosts as one version. */
export async function layOutRelease(directory: string, options: ExecutableOptions = {}): Promise<void> {
  await layOut(directory, releaseParts, options)
  await setModes(directory)
}

async function layOut(directory: string, parts: readonly Part[], options: ImageOptions): Promise<void> {
  for (const { path, lay } of parts) {
    const target = join(directory, path)
    await mkdir(dirname(target), { recursive: true })
    await lay(target, options)
  }
}

async function layPages(target: string, { pages }: ImageOptions): Promise<void> {
  if (pages !== undefined) return cp(pages, target, { recursive: true })
  // Not loaded where it is not used: the builder of pages is the largest part of this tree.
  const { buildWeb } = await import('@keelson/console/web')
  await buildWeb(target)
}

/** Whatever the umask was and the sources had: all may read, only root writes, and what lies in a folder bin/ is a program. */
async function setModes(directory: string): Promise<void> {
  await chmod(directory, 0o755)
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const isOpen = entry.isDirectory() || basename(entry.parentPath) === 'bin'
    await chmod(join(entry.parentPath, entry.name), isOpen ? 0o755 : 0o644)
  }
}
