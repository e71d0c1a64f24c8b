import { stringify } from 'yaml'

const header = '# Generated from api/ by `node api/generate.ts`. Do not edit.\n'

/** A generated file: one YAML document an object, in this order. */
export function generatedYaml(...objects: readonly object[]): string {
  return (
    header + objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n')
  )
}
