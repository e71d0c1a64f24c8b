import { installManifests } from '@keelson/deploy'
import { resourceTypes } from '@keelson/engine'
import { expect, test } from 'vitest'

type ClusterRole = {
  readonly metadata: { readonly name: string }
  readonly rules: readonly { readonly resources: readonly string[] }[]
}

const people = ['keelson-viewer', 'keelson-operator', 'keelson-admin']
const subresources = new Map(
  installManifests({ workloads: false })
    .filter(({ kind, metadata }) => kind === 'ClusterRole' && people.includes(metadata.name))
    .map((role) => role as unknown as ClusterRole)
    .map(({ metadata, rules }) => [
      metadata.name,
      rules.flatMap(({ resources }) => resources.filter((name) => name.includes('/'))).toSorted(),
    ]),
)
const types = ['facts', ...resourceTypes.keys()]

test('the roles for people name every type of the agent, since RBAC has no wildcard for them', () => {
  const all = types.map((type) => `hosts/${type}`).toSorted()
  expect(subresources).toEqual(
    new Map([
      ['keelson-viewer', []],
      ['keelson-operator', all],
      ['keelson-admin', [...all, 'hosts/proxy'].toSorted()],
    ]),
  )
})

test('no type has the name of a subresource that means something else', () => {
  expect(types.filter((type) => ['proxy', 'status', 'scale'].includes(type))).toEqual([])
})
