import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { customResourceDefinitions } from '@keelson/api'
import { parse } from 'yaml'

/** One row of docs/limits.md. */
export type StatedLimit = {
  /** As it is written, `64 KiB`. */
  readonly value: string
  /** A path in the tree, or the path of a field in the CRD of HostRequest. */
  readonly where: string
  /** Of the constant or property in that file, or of the schema's keyword. */
  readonly name: string
  readonly inCrd: boolean
}

/** Rows whose last cell is `` `file` `name` `` or `` CRD `field` `keyword` ``. */
export function statedLimits(markdown: string): readonly StatedLimit[] {
  return [...markdown.matchAll(/^\|[^|]+\| ([^|]+?) +\| (CRD )?`([^`]+)` `(\w+)` +\|$/gm)].map(
    ([, value = '', crd, where = '', name = '']) => ({ value, where, name, inCrd: crd !== undefined }),
  )
}

/** Bytes and milliseconds are what the sources count in. */
const units: Readonly<Record<string, number>> = {
  ...{ '': 1, B: 1, KiB: 1024, MiB: 1024 ** 2 },
  ...{ s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 },
}

/** `64 KiB` as 65536, `30 s` as 30000: bytes, milliseconds, or a number of things. */
export function quantityOf(value: string): number {
  const [, digits = '', unit = ''] = /^([0-9,]+)(?: (\w+))?$/.exec(value) ?? []
  return Number(digits.replaceAll(',', '')) * (units[unit] ?? Number.NaN)
}

/** The number that the sources have, in the same measure. NaN where there is no such constant. */
export function sourceQuantity({ where, name, inCrd, value }: StatedLimit, tree: string): number {
  const found = inCrd ? crdKeyword(where, name) : constant(readFileSync(join(tree, where), 'utf8'), name)
  const isSeconds = value.endsWith(' s') && (inCrd || name.endsWith('Seconds'))
  return isSeconds ? found * 1_000 : found
}

/** Of a declaration or a property that is a product of numbers and other constants of the file. */
function constant(text: string, name: string): number {
  const pattern = new RegExp(`\\b${name}(?:: number)?(?: =|:) (?!number\\b)(\\w+(?: \\* [\\w.]+)*)(?:,| }|\\n)`)
  const product = pattern.exec(text)?.[1]
  if (product === undefined) return Number.NaN
  const valueOf = (factor: string) =>
    /^[0-9_.]+$/.test(factor) ? Number(factor.replaceAll('_', '')) : constant(text, factor)
  return product.split(' * ').reduce((result, factor) => result * valueOf(factor), 1)
}

type Schema = { readonly properties?: Readonly<Record<string, Schema>> } & Readonly<Record<string, unknown>>
type Definition = {
  readonly spec: { readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: Schema } }] }
}

function crdKeyword(path: string, keyword: string): number {
  const definition = parse(customResourceDefinitions()['hostrequests.keelson.dev.yaml']!) as Definition
  const root: Schema | undefined = definition.spec.versions[0].schema.openAPIV3Schema
  const schema = path.split('.').reduce((at: Schema | undefined, field) => at?.properties?.[field], root)
  return Number(schema?.[keyword] ?? Number.NaN)
}
