import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chartTemplate, type ChartTemplate } from './chart-template.ts'
import { admissionPolicies, customResourceDefinitions } from './index.ts'

/**
 * `node api/generate.ts [FOLDER]` writes the CRDs into FOLDER/crds and the admission policies into FOLDER/admission, as templates of
 * the Helm chart; FOLDER is deploy/chart/templates by default.
 * `node api/generate.ts --check [FOLDER]` writes nothing: it names each file that is not as it would be written, and each one that
 * would not be written at all, exit 1.
 */
const { values, positionals } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean' } } })
const folder = positionals[0] ?? join(import.meta.dirname, '../deploy/chart/templates')

const generated: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  crds: templates(customResourceDefinitions(), {
    ...{ condition: 'crds.install', component: 'api' },
    // With a CRD go all objects of its kind.
    annotations: { 'helm.sh/resource-policy': 'keep' },
  }),
  // The operator runs nothing that was written before the last change of a policy, so no upgrade makes one for a label's sake.
  admission: templates(admissionPolicies(), { component: 'api', stableLabels: true }),
}

function templates(files: Readonly<Record<string, string>>, options: Omit<ChartTemplate, 'yaml'>) {
  return Object.fromEntries(Object.entries(files).map(([name, yaml]) => [name, chartTemplate({ yaml, ...options })]))
}

function orAbsent<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const stale: { readonly file: string; readonly content: string }[] = []
const extra: string[] = []
for (const [name, files] of Object.entries(generated)) {
  const directory = join(folder, name)
  if (!values.check) mkdirSync(directory, { recursive: true })
  for (const [base, content] of Object.entries(files)) {
    const file = join(directory, base)
    if (orAbsent(() => readFileSync(file, 'utf8')) !== content) stale.push({ file, content })
  }
  const present = orAbsent(() => readdirSync(directory)) ?? []
  extra.push(...present.filter((base) => !Object.hasOwn(files, base)).map((base) => join(directory, base)))
}

if (values.check) {
  for (const { file } of stale) process.stderr.write(`${file} is stale: run node api/generate.ts\n`)
  for (const file of extra) process.stderr.write(`${file} is not a generated file: delete it, or keep it elsewhere\n`)
  if (stale.length + extra.length > 0) process.exitCode = 1
} else {
  for (const { file, content } of stale) {
    writeFileSync(file, content)
    process.stdout.write(`${file}\n`)
  }
}
