import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

/**
 * Everything about the tree that can be judged without running it. All checks run, so that one look shows all that is wrong.
 *
 * Arguments: names of checks, for only those; `--tree=FOLDER` judges another folder by the same rules.
 */
const own = resolve(import.meta.dirname, '..')
const { values, positionals } = parseArgs({
  options: { tree: { type: 'string', default: own } },
  allowPositionals: true,
})
const tool = (name: string) => [process.execPath, join(own, 'node_modules', '.bin', name)]

const checks: Readonly<Record<string, readonly string[]>> = {
  format: [...tool('prettier'), '--check', '--log-level=warn', '.'],
  lint: [...tool('oxlint'), '--deny-warnings', '--format=default'],
  types: [...tool('tsc'), '--project', '.'],
  pages: [...tool('tsc'), '--project', 'console/web'],
  unused: [...tool('knip'), '--no-progress'],
  generated: [process.execPath, join(own, 'api/generate.ts'), '--check'],
  values: [process.execPath, join(own, 'deploy/generate.ts'), '--check'],
  documented: [process.execPath, join(own, 'console/generate.ts'), '--check'],
}

type Outcome = { readonly name: string; readonly passed: boolean; readonly seconds: string; readonly output: string }

function run(name: string, argv: readonly string[]): Promise<Outcome> {
  const start = performance.now()
  const [program, ...args] = argv
  return new Promise((done) => {
    const child = spawn(program!, args, { cwd: values.tree, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.once('close', (code) =>
      done({ name, passed: code === 0, seconds: ((performance.now() - start) / 1_000).toFixed(1), output }),
    )
  })
}

const wanted = positionals
const unknown = wanted.filter((name) => checks[name] === undefined)
if (unknown.length > 0) throw new Error(`no check ${unknown.join(', ')}; there are ${Object.keys(checks).join(', ')}`)
const names = wanted.length > 0 ? wanted : Object.keys(checks)
const outcomes = await Promise.all(names.map((name) => run(name, checks[name]!)))
for (const { name, passed, seconds, output } of outcomes) {
  process.stdout.write(`[check] ${name}: ${passed ? 'ok' : 'FAILED'} (${seconds} s)\n`)
  if (!passed) process.stdout.write(output)
}
process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1
