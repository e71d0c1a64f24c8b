import { stringify } from 'yaml'

/** What the chart's values.schema.json uses of JSON Schema. A group of values has `properties`, a value has a `default`. */
export type ValueSchema = {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly additionalProperties?: unknown
  readonly properties?: Readonly<Record<string, ValueSchema>>
}

const header = `# Defaults of the chart. Generated from values.schema.json by \`node deploy/generate.ts\`. Do not edit.
`

/** values.yaml: every value with its default, under its description. What has no default, as \`global\`, is left out. */
export function defaultValues(schema: ValueSchema): string {
  return header + members(schema, '')
}

function members(schema: ValueSchema, indent: string): string {
  const shown = Object.entries(schema.properties ?? {}).filter(
    ([, value]) => value.properties !== undefined || value.default !== undefined,
  )
  return shown
    .map(([name, value]) => {
      const space = indent === '' ? '\n' : ''
      return `${space}${comment(value, indent)}${member(name, value, indent)}`
    })
    .join('')
}

function member(name: string, value: ValueSchema, indent: string): string {
  if (value.properties !== undefined) return `${indent}${name}:\n${members(value, `${indent}  `)}`
  const text = stringify({ [name]: value.default }, { lineWidth: 0, singleQuote: true })
  return text.replaceAll(/^(?=.)/gm, indent)
}

function comment({ description = '', enum: choices }: ValueSchema, indent: string): string {
  const text = choices === undefined ? description : `${description} One of: ${choices.join(', ')}.`
  return wrapped(text, 120 - indent.length - 2)
    .map((line) => `${indent}# ${line}\n`)
    .join('')
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
