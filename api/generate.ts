import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { customResourceDefinitions } from './index.ts'

/**
 * `node api/generate.ts [FOLDER]` writes the CRDs into FOLDER, by default deploy/crds.
 * `node api/generate.ts --check [FOLDER]` writes nothing: it names each file that is not as it would be written, exit 1.
 */
const { values, positionals } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean' } } })
const folder = positionals[0] ?? join(import.meta.dirname, '../deploy/crds')

const generated = Object.entries(customResourceDefinitions())

function present(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const stale = generated
  .map(([name, content]) => ({ file: join(folder, name), content }))
  .filter(({ file, content }) => present(file) !== content)

if (values.check) {
  for (const { file } of stale) process.stderr.write(`${file} is stale: run node api/generate.ts\n`)
  if (stale.length > 0) process.exitCode = 1
} else {
  mkdirSync(folder, { recursive: true })
  for (const { file, content } of stale) {
    writeFileSync(file, content)
    process.stdout.write(`${file}\n`)
  }
}
