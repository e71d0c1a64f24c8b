import { copyFile, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { mustRun } from '../command.ts'

const libraries = 'lib/x86_64-linux-gnu'
const linker = 'lib64/ld-linux-x86-64.so.2'

/**
 * Copies what a program is linked with out of a Debian root folder into an image's tree, to where the dynamic linker, itself one of these files,
 * looks by default. The program may lie anywhere.
 */
export async function copySharedLibraries(program: string, debian: string, tree: string): Promise<void> {
  const folder = join(debian, libraries)
  const argv = [join(folder, 'ld-linux-x86-64.so.2'), '--inhibit-cache', '--library-path', folder, '--list', program]
  const { stdout } = await mustRun(argv)
  const names = [...stdout.matchAll(/^\s*(\S+) => \S+ \(0x/gm)]
    .map(([, name]) => name!)
    .filter((name) => !name.includes('/'))
  await put(join(folder, 'ld-linux-x86-64.so.2'), join(tree, linker))
  for (const name of names) await put(join(folder, name), join(tree, libraries, name))
}

async function put(source: string, place: string): Promise<void> {
  await mkdir(dirname(place), { recursive: true })
  await copyFile(source, place)
}
