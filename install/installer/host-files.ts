import { constants, type Stats } from 'node:fs'
import {
  chmod,
  lstat,
  mkdir,
  open,
  readFile,
  readlink,
  rename,
  rm,
  rmdir,
  symlink,
  type FileHandle,
} from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { InstallerError } from './installer-error.ts'

/** What a cut leaves of a file or link that was being replaced; the next try writes over it. */
export function unfinished(path: string): string {
  return join(dirname(path), `.${basename(path)}.keelson-new`)
}

/**
 * Everything that changes a host's files. Each method is on disk when it resolves and does all or nothing, so that a power cut falls between two of them.
 *
 * Each throws InstallerError `HostFileFailed`.
 */
export class HostFiles {
  /** Puts the content in the place of whatever is at the path, but a folder. */
  async replace(path: string, content: string, mode: number): Promise<void> {
    await told(path, async () => {
      await rm(unfinished(path), { force: true })
      await using file = await open(unfinished(path), 'wx', 0o600)
      await file.writeFile(content)
      await file.chmod(mode)
      await file.sync()
      await rename(unfinished(path), path)
      await sync(dirname(path))
    })
  }

  /** A link to `target`, in the place of whatever is at the path, but a folder. */
  async link(path: string, target: string): Promise<void> {
    await told(path, async () => {
      await rm(unfinished(path), { force: true })
      await symlink(target, unfinished(path))
      await rename(unfinished(path), path)
      await sync(dirname(path))
    })
  }

  /** As {@link replace}, from a file of ours, whatever its size. */
  async copy(from: string, path: string, mode: number): Promise<void> {
    await told(path, async () => {
      await rm(unfinished(path), { force: true })
      await using source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW)
      await using file = await open(unfinished(path), 'wx', 0o600)
      for await (const chunk of chunksOf(source)) await file.write(chunk)
      await file.chmod(mode)
      await file.sync()
      await rename(unfinished(path), path)
      await sync(dirname(path))
    })
  }

  /** Makes a folder; its parent is there. One that is there keeps its content and gets the mode. @returns whether it was made */
  async makeFolder(path: string, mode: number): Promise<boolean> {
    return told(path, async () => {
      const found = await lstat(path).catch(absent)
      if (found?.isDirectory() === true) {
        if ((found.mode & 0o7777) !== mode) await chmod(path, mode)
        return false
      }
      await rm(path, { force: true })
      await mkdir(path)
      // mkdir's own is cut by the umask.
      await chmod(path, mode)
      await sync(dirname(path))
      return true
    })
  }

  async rename(from: string, to: string): Promise<void> {
    await told(to, async () => {
      await rename(from, to)
      await sync(dirname(to))
    })
  }

  /** A file, a link, or a folder with all that is in it. */
  async remove(path: string): Promise<void> {
    await told(path, async () => {
      await rm(path, { recursive: true, force: true })
      await sync(dirname(path)).catch(absent)
    })
  }

  /** Removes a folder if nothing is in it. */
  async removeIfEmpty(path: string): Promise<void> {
    await told(path, async () => {
      await rmdir(path).catch((error: NodeJS.ErrnoException) => {
        if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY'].includes(error.code ?? '')) throw error
      })
    })
  }
}

const chunkSize = 256 * 1024

/** What is in a file, in one buffer after the other: the same one, so it is not to be kept. */
export async function* chunksOf(file: FileHandle): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(chunkSize)
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, chunkSize)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

/** The text of a file; undefined where there is none, or something else. */
export async function textOf(path: string): Promise<string | undefined> {
  return told(path, async () => ((await lstat(path).catch(absent))?.isFile() ? readFile(path, 'utf8') : undefined))
}

export async function targetOf(link: string): Promise<string | undefined> {
  return readlink(link).catch(() => undefined)
}

export async function statOf(path: string): Promise<Stats | undefined> {
  return told(path, async () => lstat(path).catch(absent))
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
  return undefined
}

/** Only this makes names in a folder survive a power cut. */
async function sync(path: string): Promise<void> {
  await using folder = await open(path, 'r')
  await folder.sync()
}

async function told<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new InstallerError(
      'HostFileFailed',
      `${path}: ${remedies[code] ?? `cannot be read or changed (${code})`}`,
      error,
    )
  }
}

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'the file system of the host is full (ENOSPC): make room',
  EROFS: 'the file system of the host is read-only (EROFS): mount it writable',
  EACCES: 'not permitted (EACCES): the installer runs as root of the host, and under SELinux as spc_t',
  EPERM: 'not permitted (EPERM): the installer runs as root of the host, and the file may not be immutable',
}
