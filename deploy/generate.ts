import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { defaultValues, type ValueSchema } from './chart-values.ts'

/**
 * `node deploy/generate.ts` writes deploy/chart/values.yaml from values.schema.json beside it.
 * `node deploy/generate.ts --check` writes nothing: it says whether the file is as it would be written, else exit 1.
 */
const { values } = parseArgs({ options: { check: { type: 'boolean' } } })
const chart = join(import.meta.dirname, 'chart')
const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as ValueSchema
const file = join(chart, 'values.yaml')
const name = relative(process.cwd(), file)

const wanted = defaultValues(schema)
if ((existsSync(file) ? readFileSync(file, 'utf8') : undefined) !== wanted) {
  if (values.check) {
    process.stderr.write(`${name} is stale: run node deploy/generate.ts\n`)
    process.exitCode = 1
  } else {
    writeFileSync(file, wanted)
    process.stdout.write(`${name}\n`)
  }
}
