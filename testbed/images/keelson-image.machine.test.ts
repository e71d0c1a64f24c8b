import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { imageEntrypoint, imageReference, imageUser } from '@keelson/deploy'
import { productVersion } from '@keelson/api/product-version'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mustRun, runCommand } from '../command.ts'
import { Daemon } from '../daemon.ts'
import { eventually } from '../deadline.ts'
import { imageArchive, type KeelsonImage } from './keelson-image.ts'

type Manifest = readonly {
  readonly Config: string
  readonly RepoTags: readonly string[]
  readonly Layers: readonly string[]
}[]
type Unpacked = { readonly root: string; readonly reference: string; readonly config: unknown }

let folder: string
let image: Unpacked
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keelson-image-'))
  image = await unpacked('image')
})
afterAll(async () => rm(folder, { recursive: true }))

/** The archive, and the root folder of its one layer. */
async function unpacked(name: string, options: KeelsonImage = {}): Promise<Unpacked> {
  const [parts, root] = [join(folder, name), join(folder, `${name}-root`)]
  await mkdir(parts)
  await mkdir(root)
  await mustRun(['tar', '--extract', `--file=${await imageArchive(options)}`, `--directory=${parts}`])
  const read = async (file: string): Promise<unknown> => JSON.parse(await readFile(join(parts, file), 'utf8'))
  const [only] = (await read('manifest.json')) as Manifest
  await mustRun([
    'tar',
    '--extract',
    '--preserve-permissions',
    `--file=${join(parts, only!.Layers[0]!)}`,
    `--directory=${root}`,
  ])
  return { root, reference: only!.RepoTags[0]!, config: ((await read(only!.Config)) as { config: unknown }).config }
}

/** As a container of it runs: in its own root folder, as its own user. */
const inside = ({ root }: Unpacked, ...args: string[]) => [
  'chroot',
  `--userspec=${imageUser}`,
  root,
  ...imageEntrypoint,
  ...args,
]

/** Path, mode and content of all that lies in a folder. */
async function listing(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const lines = entries.map(async (entry) => {
    const path = join(entry.parentPath, entry.name)
    const { mode } = await stat(path)
    const content = entry.isFile()
      ? createHash('sha256')
          .update(await readFile(path))
          .digest('hex')
      : 'folder'
    return `${relative(directory, path)} ${(mode & 0o7777).toString(8)} ${content}`
  })
  return (await Promise.all(lines)).toSorted()
}

test('it is the one that the Dockerfile makes: name, user, entry point, and the files by the same program', async () => {
  expect(image.reference).toBe(imageReference())
  expect(image.config).toMatchObject({ User: imageUser, Entrypoint: imageEntrypoint })
  const built = join(folder, 'built')
  // Pages are built for production where nothing says otherwise, and a test runner does.
  const env = { NODE_ENV: undefined }
  await mustRun([process.execPath, resolve(import.meta.dirname, '../../deploy/image/build.ts'), built], { env })
  expect(await listing(join(image.root, 'opt'))).toEqual(await listing(join(built, 'opt')))
})

test('beside our own files it has chroot and the shared libraries, and no shell', async () => {
  const rest = (await readdir(image.root, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(image.root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.startsWith('opt/keelson/'))
  expect(rest.toSorted()).toEqual([
    ...['c', 'dl', 'gcc_s', 'm', 'pthread', 'stdc++']
      .map((name) => `lib/x86_64-linux-gnu/lib${name}.so`)
      .map((path) => expect.stringMatching(new RegExp(`^${path.replaceAll('+', '[+]')}[.]\\d$`)) as string),
    'lib64/ld-linux-x86-64.so.2',
    'usr/sbin/chroot',
  ])
  expect((await mustRun(['chroot', image.root, '/usr/sbin/chroot', '--version'])).stdout).toContain('GNU coreutils')
})

test('another version of it, and one with a broken agent', async () => {
  const other = await unpacked('other', { version: '0.2.0-test', brokenAgent: true })
  expect(other.reference).toBe(imageReference('0.2.0-test'))
  expect((await mustRun(inside(other, '--version'))).stdout).toBe('keelson 0.2.0-test\n')
  expect((await mustRun(inside(image, '--version'))).stdout).toBe(`keelson ${productVersion}\n`)
  const [broken, sound] = [await runCommand(inside(other, 'agent')), await runCommand(inside(image, 'agent'))]
  expect([broken.exitCode, broken.stdout]).toEqual([1, expect.stringContaining('broken on purpose')])
  expect([sound.exitCode, sound.stdout]).toEqual([1, expect.stringContaining('/etc/keelson/agent.json cannot be read')])
})

/** Of a cluster that nobody answers for. */
const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}]
users: [{name: a, user: {token: none}}]
contexts: [{name: a, context: {cluster: a, user: a}}]
current-context: a
`

test('the console serves its pages, and has nothing to write but its data', async () => {
  await writeFile(join(image.root, 'tmp/kubeconfig'), kubeconfig)
  const address = `127.${[1, 2, 3].map(() => 1 + Math.floor(Math.random() * 254)).join('.')}`
  const env = {
    KEELSON_CONSOLE_BIND_ADDRESS: address,
    KEELSON_CONSOLE_DATABASE_URL: 'file:/tmp/console.db',
    KEELSON_CONSOLE_SESSION_SECRET_FILE: '/tmp/session-secret',
    KEELSON_CONSOLE_KUBECONFIG: '/tmp/kubeconfig',
  }
  const log = join(folder, 'console.log')
  await using console = new Daemon('console', inside(image, 'console'), { log, env })
  await eventually('it listens, or has ended', async () => {
    await console.assertRunning()
    return (await readFile(log, 'utf8')).includes('console listens')
  })
  const page = await fetch(`http://${address}:7118/`)
  expect([page.status, await page.text()]).toEqual([
    200,
    await readFile(join(image.root, 'opt/keelson/pages/index.html'), 'utf8'),
  ])
  const found = await mustRun(['find', image.root, '-uid', imageUser.split(':')[0]!, '-printf', '%P\n'])
  const own = found.stdout.trim().split('\n')
  expect(own).toEqual(expect.arrayContaining(['tmp/console.db', 'tmp/session-secret']))
  expect(own.filter((path) => !path.startsWith('tmp/'))).toEqual([])
})
