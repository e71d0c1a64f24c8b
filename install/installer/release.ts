import { createHash } from 'node:crypto'
import { lstat, open, readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { agentUnit } from './host-paths.ts'
import { chunksOf, type HostFiles } from './host-files.ts'
import { InstallerError } from './installer-error.ts'

type ReleaseFile = { readonly path: string; readonly mode: number; readonly sha256: string }

/** The agent in one version, as it lies in a folder. */
export type Release = {
  /** Version and digest of all files: the name of its folder on a host. Two of one name are the same, byte by byte. */
  readonly name: string
  readonly version: string
  /** Text of its unit file. */
  readonly unit: string
  readonly folder: string
  /** Folders come before what is in them. */
  readonly folders: readonly string[]
  readonly files: readonly ReleaseFile[]
}

/** What of an image's /opt/keelson goes to hosts; the console's pages, for one, do not. */
const parts = ['bin', 'keelson.mjs', 'lib', 'systemd', 'version']
const required = ['bin/node', 'keelson.mjs', `systemd/${agentUnit}`, 'version']
const folderMode = 0o755

/** Hashes of files, kept as long as nothing has touched them: a hundred megabytes are not read anew every minute. */
export class FileDigests {
  readonly #known = new Map<string, { readonly stamp: string; readonly sha256: string }>()

  async of(path: string): Promise<string> {
    const { dev, ino, size, mtimeNs, ctimeNs } = await lstat(path, { bigint: true })
    const stamp = [dev, ino, size, mtimeNs, ctimeNs].join()
    const known = this.#known.get(path)
    if (known?.stamp === stamp) return known.sha256
    const sha256 = await hash(path)
    this.#known.set(path, { stamp, sha256 })
    return sha256
  }
}

/** Reads what lies in a folder. @throws InstallerError `ImageIncomplete` */
export async function readRelease(folder: string, digests: FileDigests): Promise<Release> {
  const { folders, paths } = await listed(folder)
  const missing = required.filter((path) => !paths.includes(path))
  if (missing.length > 0)
    throw new InstallerError('ImageIncomplete', `${folder} lacks ${missing.join(', ')}: it is no agent of Keelson`)
  const files: ReleaseFile[] = []
  for (const path of paths) files.push({ path, mode: modeOf(path), sha256: await digests.of(join(folder, path)) })
  const version = (await readFile(join(folder, 'version'), 'utf8')).trim()
  if (!/^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$/.test(version))
    throw new InstallerError('ImageIncomplete', `${folder}/version does not hold a version`)
  const manifest = files.map(({ path, mode, sha256 }) => `${mode.toString(8)} ${sha256} ${path}\n`).join('')
  const name = `${version}-${createHash('sha256').update(manifest).digest('hex').slice(0, 12)}`
  const unit = await readFile(join(folder, 'systemd', agentUnit), 'utf8')
  return { name, version, unit, folder, folders, files }
}

/** The release in a folder of a host; undefined where it is not, byte by byte, what the folder's name says. */
export async function intactRelease(folder: string, digests: FileDigests): Promise<Release | undefined> {
  try {
    const release = await readRelease(folder, digests)
    return release.name === basename(folder) && (await misfits(release, folder, digests)).length === 0
      ? release
      : undefined
  } catch {
    return undefined
  }
}

/**
 * Copies a release into a folder of a host, beside it first: there is no folder of that name with a part of it. Where the folder is there and
 * was tampered with, file by file is put right.
 */
export async function layDown(release: Release, folder: string, host: HostFiles, digests: FileDigests): Promise<void> {
  if ((await kindOf(folder)) === 'folder') {
    await repair(release, folder, host, digests)
    return
  }
  const partial = join(dirname(folder), `.${basename(folder)}.partial`)
  await host.remove(partial)
  await host.remove(folder)
  for (const each of ['', ...release.folders]) await host.makeFolder(join(partial, each), folderMode)
  for (const { path, mode } of release.files) await host.copy(join(release.folder, path), join(partial, path), mode)
  await host.rename(partial, folder)
}

async function repair(release: Release, folder: string, host: HostFiles, digests: FileDigests): Promise<void> {
  const { folders, paths, others } = await listed(folder)
  for (const extra of [...paths, ...folders].filter((path) => !isOf(release, path)).concat(others))
    await host.remove(join(folder, extra))
  for (const each of ['', ...release.folders]) await host.makeFolder(join(folder, each), folderMode)
  for (const { path, mode } of await misfits(release, folder, digests))
    await host.copy(join(release.folder, path), join(folder, path), mode)
}

function isOf({ files, folders }: Release, path: string): boolean {
  return folders.includes(path) || files.some((file) => file.path === path)
}

/** Files of the release that are not there, or other than they should be. */
async function misfits(release: Release, folder: string, digests: FileDigests): Promise<readonly ReleaseFile[]> {
  const found: ReleaseFile[] = []
  for (const file of release.files) {
    const path = join(folder, file.path)
    const stat = await lstat(path).catch(() => undefined)
    const fits = stat?.isFile() === true && (stat.mode & 0o7777) === file.mode
    if (!fits || (await digests.of(path)) !== file.sha256) found.push(file)
  }
  return found
}

/** What is not a file or a folder is among `others`, and so is at the top what no release has. */
async function listed(folder: string): Promise<{ folders: string[]; paths: string[]; others: string[] }> {
  const [folders, paths, others]: [string[], string[], string[]] = [[], [], []]
  const walk = async (at: string): Promise<void> => {
    const entries = await readdir(join(folder, at), { withFileTypes: true })
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(at, entry.name)
      if (at === '' && !parts.includes(entry.name)) others.push(path)
      else if (entry.isDirectory()) {
        folders.push(path)
        await walk(path)
      } else (entry.isFile() ? paths : others).push(path)
    }
  }
  try {
    await walk('')
  } catch (cause) {
    throw new InstallerError('ImageIncomplete', `${folder} cannot be read`, cause)
  }
  return { folders, paths, others }
}

function modeOf(path: string): number {
  return path.startsWith('bin/') ? 0o755 : 0o644
}

async function kindOf(path: string): Promise<'folder' | 'other' | 'none'> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return 'none'
  return found.isDirectory() ? 'folder' : 'other'
}

async function hash(path: string): Promise<string> {
  await using file = await open(path, 'r')
  const digest = createHash('sha256')
  for await (const chunk of chunksOf(file)) digest.update(chunk)
  return digest.digest('hex')
}
