import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { openApi } from './openapi.ts'
import { settingsTable } from './server/config/settings.ts'

/**
 * `node console/generate.ts` writes console/openapi.json and the table in docs/console-settings.md.
 * `node console/generate.ts --check` writes nothing: it names each file that is not as it would be written, exit 1.
 */
const { values } = parseArgs({ options: { check: { type: 'boolean' } } })
const tree = join(import.meta.dirname, '..')

const generated: Readonly<Record<string, string>> = {
  'console/openapi.json': `${JSON.stringify(openApi(), null, 2)}\n`,
  'docs/console-settings.md': `<!-- Generated from console/server/config/settings.ts by \`node console/generate.ts\`. Do not edit. -->

# Settings of the console

\`keelson console [--config FILE]\` reads a YAML file of these settings, and variables of the environment, which win. What is unknown or wrong is named at the
start, and nothing is served. One console at a time may use a SQLite database; several behind one address share a PostgreSQL database and the same
session secrets, and each counts calls for the rate limits by itself.

${settingsTable()}
`,
}

function presentContent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

for (const [name, content] of Object.entries(generated)) {
  const file = join(tree, name)
  if (presentContent(file) === content) continue
  if (values.check) {
    process.stderr.write(`${relative(process.cwd(), file)} is stale: run node console/generate.ts\n`)
    process.exitCode = 1
  } else {
    writeFileSync(file, content)
    process.stdout.write(`${relative(process.cwd(), file)}\n`)
  }
}
