import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Puts a unit file into a host's root folder, enabled for multi-user.target. */
export async function enableUnit(root: string, name: string, text: string): Promise<void> {
  const units = join(root, 'etc/systemd/system')
  const wants = join(units, 'multi-user.target.wants')
  await mkdir(wants, { recursive: true })
  await writeFile(join(units, name), text)
  await symlink(`/etc/systemd/system/${name}`, join(wants, name))
}

/** What a bundler writes, as bytes: the keys of layers are made of content. */
export async function bundled(name: string, bundle: (outfile: string) => Promise<void>): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'keelson-bundle-'))
  try {
    const file = join(directory, name)
    await bundle(file)
    return await readFile(file)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
