import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { hostAreas, roles } from './access.ts'

interface ClusterRole {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly rules: readonly { readonly resources: readonly string[] }[]
}

const installed = readFileSync(resolve(import.meta.dirname, '../../deploy/keelson.yaml'), 'utf8')
const clusterRoles = parseAllDocuments(installed)
  .map((document) => document.toJS() as ClusterRole | null)
  .filter((object) => object?.kind === 'ClusterRole')

test('the roles that the console gives are those that come along', () => {
  expect(clusterRoles.map((role) => role?.metadata.name)).toEqual(expect.arrayContaining([...roles]))
})

test('rights on hosts can be given for everything that a host has', () => {
  const everything = clusterRoles.find((role) => role?.metadata.name === 'keelson-admin')!
  const resources = everything.rules.flatMap((rule) => rule.resources).filter((name) => name.startsWith('hosts/'))
  expect(resources.toSorted()).toEqual(hostAreas.map((area) => `hosts/${area}`).toSorted())
})
