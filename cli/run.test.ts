import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commands } from './commands.ts'
import { run } from './run.ts'

const tree = join(import.meta.dirname, '..')
type Manifest = { readonly version: string; readonly workspaces: readonly string[] }

async function keelson(...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' }
  const print = (name: 'stdout' | 'stderr') => (line: string) => void (said[name] += `${line}\n`)
  return { exitCode: await run(args, { out: print('stdout'), err: print('stderr') }), ...said }
}

test('--help names every command and every exit code, on stdout', async () => {
  const { exitCode, stdout, stderr } = await keelson('--help')
  expect([exitCode, stderr]).toEqual([0, ''])
  for (const { name, summary } of commands)
    expect(stdout).toMatch(new RegExp(`^  ${name} +${summary.slice(0, 20)}`, 'm'))
  for (const meaning of ['0 done', '1 failed', '2 the command', '3 the request was denied', '4 no answer'])
    expect(stdout).toContain(meaning)
})

test('--version tells the one version of the tree', async () => {
  const { stdout } = await keelson('--version')
  const { version, workspaces } = JSON.parse(await readFile(join(tree, 'package.json'), 'utf8')) as Manifest
  expect(stdout).toBe(`keelson ${version}\n`)
  for (const workspace of workspaces)
    expect(JSON.parse(await readFile(join(tree, workspace, 'package.json'), 'utf8'))).toMatchObject({ version })
})

test.each(commands.map(({ name }) => name))('keelson %s --help says how it is used', async (name) => {
  const { exitCode, stdout } = await keelson(name, '--help')
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining(`usage: keelson ${name} `)])
})

describe('a wrong command line is 2, with one sentence and its code', () => {
  test.each([
    [[], /^usage: keelson COMMAND/],
    [['jion'], /^keelson: there is no command "jion"; .* \(Usage\)\n$/],
    [['join'], /^keelson join: --name: give .* \(Usage\)\nusage: keelson join /],
    [['join', '--nmae', 'x'], /^keelson join: .*--nmae.* \(Usage\)\nusage: /],
    [['join', '--name', 'x', 'y'], /^keelson join: "y" is not an option \(Usage\)/],
    [['join', '--name', 'x', '--timeout-seconds', '0'], /^keelson join: --timeout-seconds: .* \(Usage\)/],
    [['approve'], /^keelson approve: give the one request .* \(Usage\)/],
    [['approve', 'a', 'b'], /^keelson approve: give the one request .* \(Usage\)/],
  ])('%j', async (args, message) => {
    const { exitCode, stdout, stderr } = await keelson(...args)
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
  })
})

describe('what fails is 1, with one sentence and its code', () => {
  test.each([
    [['join', '--name', 'x'], /^keelson join: no in-cluster configuration: .* \(NotInCluster\)\n$/],
    [
      ['join', '--name', 'x', '--kubeconfig', '/nowhere'],
      /^keelson join: kubeconfig \/nowhere: .* \(KubeconfigUnreadable\)\n$/,
    ],
    [
      ['approve', 'x', '--kubeconfig', '/nowhere'],
      /^keelson approve: kubeconfig \/nowhere: .* \(KubeconfigUnreadable\)\n$/,
    ],
  ])('%j', async (args, message) => {
    const { exitCode, stdout, stderr } = await keelson(...args)
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(message)
  })
})

test.each([
  [['agent', '--config', '/nowhere/agent.json'], '/nowhere/agent.json cannot be read'],
  [['console', '--config', '/nowhere/console.yaml'], '/nowhere/console.yaml cannot be read'],
  [['console'], 'KEELSON_CONSOLE_SESSION_SECRET_FILE'],
])(
  '%j: a program of its own gets its own arguments, and its end is ours',
  async (args, words) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], {
      env: {},
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let log = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text))
    const [exitCode] = (await once(child, 'close')) as [number]
    expect(exitCode).toBe(1)
    expect(log).toContain(words)
  },
  30_000,
)
