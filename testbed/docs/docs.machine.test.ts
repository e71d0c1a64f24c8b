import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { cacheDirectory } from '../cache.ts'
import { runCommand } from '../command.ts'
import { Demo } from '../demo/demo.fixture.ts'
import { documentBlocks, tree } from './documents.ts'

const blocks = documentBlocks()

/** It starts what the others look at. The test of the demo itself runs the other one, which takes longer. */
const start = blocks.find(({ text }) => text === 'make demo LIGHT=1')
const run = blocks.filter(
  (block) => !block.text.startsWith('make demo') && block.notRun === undefined && block.world === 'demo',
)

let demo: Demo
beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'keelson-docs-test-'))
  demo = new Demo(directory, (start?.text ?? '').split(' '))
  await demo.says('It stays up until Ctrl-C')
  return async () => {
    demo.pressCtrlC()
    await demo.ended()
    await rm(directory, { recursive: true, force: true })
  }
})

/** A reader's terminal in the tree, beside the demo: a shell, as theirs is. */
async function inTerminal(text: string, input = ''): Promise<{ exitCode: number; output: string }> {
  const { directory } = demo
  const env = {
    KEELSON_DEMO_DIRECTORY: directory,
    KUBECONFIG: join(directory, 'kubeconfig'),
    HOME: directory,
    KEELSON_CACHE: cacheDirectory,
    PATH: `${directory}/bin:${process.env['PATH']}`,
  }
  const here = text.replaceAll('$PWD/.demo', directory).replaceAll(/(^|[="\s])\.demo\//gm, `$1${directory}/`)
  const { exitCode, stdout, stderr } = await runCommand(['bash', '-euo', 'pipefail', '-c', here], {
    cwd: tree,
    env,
    input,
  })
  return { exitCode, output: stdout + stderr }
}

test('the README starts with make demo', () => {
  expect(blocks.find(({ text }) => text === 'make demo')?.place).toMatch(/^README\.md:/)
  expect(start?.place).toMatch(/^README\.md:/)
  expect(run.length).toBeGreaterThan(5)
})

test.each(run.map((block) => [block.place, block] as const))('%s does what it says', async (_, { language, text }) => {
  expect(['sh', 'yaml']).toContain(language)
  const result =
    language === 'sh' ? await inTerminal(text) : await inTerminal('kubectl apply --dry-run=server --filename -', text)
  expect(result).toEqual({ exitCode: 0, output: result.output })
})

test('every example is one that the API server takes, but for the one that it is to refuse', async () => {
  for (const name of await readdir(join(tree, 'deploy/examples'))) {
    const { exitCode, output } = await inTerminal(`kubectl apply --dry-run=server --filename deploy/examples/${name}`)
    expect([name, exitCode === 0, output]).toEqual([name, name !== 'injection.yaml', output])
  }
})
