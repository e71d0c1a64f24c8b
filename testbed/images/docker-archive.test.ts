import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mustRun } from '../command.ts'
import { dockerArchive } from './docker-archive.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keelson-docker-archive-test-'))
})
afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

async function makeTree(name: string): Promise<string> {
  const tree = join(directory, name)
  await mkdir(join(tree, 'usr/bin'), { recursive: true })
  await writeFile(join(tree, 'usr/bin/program'), 'program')
  await chmod(join(tree, 'usr/bin/program'), 0o755)
  await symlink('usr/bin', join(tree, 'bin'))
  return tree
}

const reference = 'registry.example/team/thing:1.2.3'
const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

type Manifest = readonly {
  readonly Config: string
  readonly RepoTags: readonly string[]
  readonly Layers: readonly string[]
}[]

test('an archive names itself, its layer and what it starts, and each digest is that of the file', async () => {
  const out = join(directory, 'out/thing.tar')
  const options = { user: '65532', env: { HOME: '/tmp' }, entrypoint: ['/bin/program', 'serve'] }
  await dockerArchive({ reference, tree: await makeTree('tree'), out, ...options })

  const unpacked = join(directory, 'unpacked')
  await mkdir(unpacked)
  await mustRun(['tar', '--extract', `--file=${out}`, `--directory=${unpacked}`])
  const read = (name: string) => readFile(join(unpacked, name))
  const [image, ...others] = JSON.parse((await read('manifest.json')).toString()) as Manifest
  expect(others).toEqual([])
  expect(image?.RepoTags).toEqual([reference])
  const configuration = await read(image!.Config)
  expect(image!.Config).toBe(`${digest(configuration)}.json`)
  const layer = await read(image!.Layers[0]!)
  expect(JSON.parse(configuration.toString())).toMatchObject({
    architecture: 'amd64',
    os: 'linux',
    config: {
      Entrypoint: ['/bin/program', 'serve'],
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/tmp'],
      User: '65532',
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest(layer)}`] },
  })
  const listed = await mustRun([
    'tar',
    '--list',
    '--verbose',
    '--numeric-owner',
    `--file=${join(unpacked, image!.Layers[0]!)}`,
  ])
  expect(listed.stdout).toMatch(/^-rwxr-xr-x 0\/0 .* \.\/usr\/bin\/program$/m)
  expect(listed.stdout).toMatch(/^lrwxrwxrwx 0\/0 .* \.\/bin -> usr\/bin$/m)
  expect(await readdir(join(directory, 'out'))).toEqual(['thing.tar'])
})

test('equal trees make equal archives, whenever their files were written', async () => {
  const make = async (name: string) => {
    const tree = await makeTree(name)
    await utimes(join(tree, 'usr/bin/program'), 1, name.length)
    const out = join(directory, `${name}.tar`)
    await dockerArchive({ reference, tree, out, entrypoint: ['/bin/program'] })
    return digest(await readFile(out))
  }
  expect(await make('one')).toBe(await make('another'))
})
