import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errnoOf, fileError, ResourceError } from './resource-error.ts'

export type FileAttributes = { readonly mode: number; readonly uid: number; readonly gid: number }

/**
 * Puts `content` in the place of the file at `path`: whoever reads it, at any moment and after a power cut, finds the old bytes or the new
 * bytes and never a part. A file that exists keeps its mode and owner; a new one gets `attributes`.
 *
 * Throws `ResourceError` of kind `act`: `TargetIsSymlink`, `TargetNotRegular`, `TargetIsMounted` (EBUSY), `ReadOnlyFileSystem`,
 * `NotPermitted`, `NoSpace`, `FolderMissing`, `FileFailed`.
 */
export async function replaceFile(path: string, content: Buffer, attributes: FileAttributes): Promise<void> {
  const { mode, uid, gid } = (await existingAttributes(path)) ?? attributes
  // In the same folder, as rename works within one file system only. A leading dot and no suffix of the target's kind: whoever loads all
  // of a folder (`sysctl.d/*.conf`) passes it by, even one that a power cut has left behind.
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`)
  try {
    await writeDurably(temporary, content, { mode, uid, gid })
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw fileError(path, error)
  }
}

async function existingAttributes(path: string): Promise<FileAttributes | undefined> {
  try {
    const found = await lstat(path)
    // A rename would put a file in the link's place, and what the link names would keep its old content.
    if (found.isSymbolicLink()) {
      throw new ResourceError(
        'act',
        'TargetIsSymlink',
        `${path}: it is a symbolic link; replace it with a regular file, or remove it`,
      )
    }
    if (!found.isFile())
      throw new ResourceError('act', 'TargetNotRegular', `${path}: it is not a regular file; remove it`)
    return { mode: found.mode & 0o7777, uid: found.uid, gid: found.gid }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error instanceof ResourceError ? error : fileError(path, error)
  }
}

async function writeDurably(path: string, content: Buffer, attributes: FileAttributes): Promise<void> {
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | constants.O_WRONLY
  await using file = await open(path, flags, 0o600)
  await file.writeFile(content)
  // chown clears set-user-id bits, so chmod comes after it.
  await file.chown(attributes.uid, attributes.gid)
  await file.chmod(attributes.mode)
  await file.sync()
}

/** Only this makes the rename itself survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r')
  await folder.sync()
}
