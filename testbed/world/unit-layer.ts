import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'

/** Puts a unit file into a host's root folder, enabled for multi-user.target. */
export async function enableUnit(root: string, name: string, text: string | Buffer): Promise<void> {
  const units = join(root, 'etc/systemd/system')
  const wants = join(units, 'multi-user.target.wants')
  await mkdir(wants, { recursive: true })
  await writeFile(join(units, name), text)
  await symlink(`/etc/systemd/system/${name}`, join(wants, name))
}

/** The files that a bundler writes into a folder, by their paths in it: the keys of layers are made of content. */
export async function bundled(bundle: (directory: string) => Promise<void>): Promise<ReadonlyMap<string, Buffer>> {
  const directory = await mkdtemp(join(tmpdir(), 'keelson-bundle-'))
  try {
    await bundle(directory)
    const entries = await readdir(directory, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    const read = files.toSorted().map(async (file) => [relative(directory, file), await readFile(file)] as const)
    return new Map(await Promise.all(read))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Puts such files into a folder. */
export async function writeFiles(directory: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const [path, content] of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), content)
  }
}
