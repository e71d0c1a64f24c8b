import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify, stripVTControlCharacters } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { mayImport, packages, type Package } from '../boundaries.ts'

const tree = resolve(import.meta.dirname, '..')
const pairs = packages.flatMap((from) => packages.filter((to) => to !== from).map((to) => [from, to] as const))
const forbidden = pairs.filter(([from, to]) => !mayImport(from, to))
const allowed = pairs.filter(([from, to]) => mayImport(from, to))

/** The lint of `make check` over a tree that holds one fixture a direction; `output` is without colours. */
async function lint(
  fixtures: Readonly<Record<string, string>>,
  environment: NodeJS.ProcessEnv = {},
): Promise<{ red: boolean; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'keelson-boundaries-'))
  try {
    for (const file of ['oxlint.config.ts', 'boundaries.ts', 'tsconfig.json'])
      await cp(join(tree, file), join(folder, file))
    await symlink(join(tree, 'node_modules'), join(folder, 'node_modules'))
    for (const [path, text] of Object.entries(fixtures)) {
      await mkdir(join(folder, path, '..'), { recursive: true })
      await writeFile(join(folder, path), text)
    }
    const check = promisify(execFile)(
      process.execPath,
      [join(tree, 'toolchain/check.ts'), `--tree=${folder}`, 'lint'],
      { env: { ...process.env, ...environment } },
    )
    return await check.then(
      ({ stdout }) => ({ red: false, output: stripVTControlCharacters(stdout) }),
      ({ stdout }: { stdout: string }) => ({ red: true, output: stripVTControlCharacters(stdout) }),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function fixture(specifier: string): string {
  return `import { thing } from '${specifier}'\nexport const other = thing\n`
}

const byName = ([from, to]: readonly [Package, Package]) => [`${from}/to-${to}.ts`, fixture(`@keelson/${to}`)] as const

describe('forbidden directions', () => {
  let output = ''
  beforeAll(async () => {
    const bySubpath = ([from, to]: readonly [Package, Package]) =>
      [`${from}/into-${to}.ts`, fixture(`@keelson/${to}/inner.ts`)] as const
    const result = await lint(Object.fromEntries([...forbidden.map(byName), ...forbidden.map(bySubpath)]))
    if (result.red) output = result.output
  })

  test.each(forbidden)('%s may not import %s', (from, to) => {
    expect(output).toContain(`[${from}/to-${to}.ts:1:1]`)
    expect(output).toContain(`[${from}/into-${to}.ts:1:1]`)
    expect(output).toContain(`${from}/ may not import ${to}/`)
  })
})

test('every direction is forbidden by path', async () => {
  const { output } = await lint(
    Object.fromEntries(pairs.map(([from, to]) => [`${from}/inner/to-${to}.ts`, fixture(`../../${to}/index.ts`)])),
  )
  for (const [from, to] of pairs) expect(output).toContain(`[${from}/inner/to-${to}.ts:1:1]`)
})

test('tests and their fixtures alone may import the test world', async () => {
  const { red, output } = await lint({
    'operator/a.test.ts': fixture('@keelson/testbed'),
    'operator/a.fixture.ts': fixture('@keelson/testbed'),
    'operator/a.ts': fixture('@keelson/testbed'),
    'operator/b.test.ts': fixture('@keelson/agent'),
  })
  expect(red).toBe(true)
  expect(output).not.toContain('operator/a.test.ts')
  expect(output).not.toContain('operator/a.fixture.ts')
  expect(output).toContain('[operator/a.ts:1:1]')
  expect(output).toContain('[operator/b.test.ts:1:1]')
})

// A linter that guesses its format from the environment would hide the place in one of them.
test.each([{ CI: 'true' }, { FORCE_COLOR: '1' }, { GITHUB_ACTIONS: 'true' }, { NO_COLOR: '1' }])(
  'the place is named with %o in the environment',
  async (environment) => {
    const { output } = await lint({ 'api/to-kube.ts': fixture('@keelson/kube') }, environment)
    expect(output).toContain('[api/to-kube.ts:1:1]')
  },
)

test('the allowed directions are green', async () => {
  expect(await lint(Object.fromEntries(allowed.map(byName)))).toMatchObject({ red: false })
})
