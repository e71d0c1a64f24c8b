import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { defaultValues, type ValueSchema } from '../chart-values.ts'
import { installManifests } from '../install-manifests.ts'

const read = (...path: readonly string[]) => readFileSync(join(import.meta.dirname, ...path), 'utf8')
const schema = JSON.parse(read('values.schema.json')) as ValueSchema

/** Every schema below a group, with its path: groups and values. */
function* described(value: ValueSchema, path: readonly string[] = []): Generator<readonly [string, ValueSchema]> {
  if (path.length > 0) yield [path.join('.'), value]
  for (const [name, member] of Object.entries(value.properties ?? {})) yield* described(member, [...path, name])
}

test('the chart has the version of the project, and so has what it installs', () => {
  const { version } = JSON.parse(read('../../package.json')) as { version: string }
  expect(parse(read('Chart.yaml'))).toMatchObject({ version, appVersion: version })
})

test('values.yaml is what the schema says', () => {
  expect(read('values.yaml')).toBe(defaultValues(schema))
})

test('every value has a type and a description, and a group takes no others', () => {
  const wrong = [...described(schema)].filter(
    ([, { type, description, properties, additionalProperties }]) =>
      type === undefined ||
      !/^[A-Z].*\.$/s.test(description ?? '') ||
      (properties !== undefined && additionalProperties !== false),
  )
  expect(wrong).toEqual([])
  expect(schema.additionalProperties).toBe(false)
})

test('the bundle is not of an older chart', () => {
  const { version } = parse(read('Chart.yaml')) as { version: string }
  const deployments = installManifests({ workloads: true }).filter(({ kind }) => kind === 'Deployment')
  expect(deployments.map(({ metadata }) => [metadata.name, metadata.labels])).toEqual(
    ['console', 'operator'].map((component) => [
      `keelson-${component}`,
      {
        ...{ 'app.kubernetes.io/name': 'keelson', 'app.kubernetes.io/instance': 'keelson' },
        ...{ 'app.kubernetes.io/component': component, 'app.kubernetes.io/part-of': 'keelson' },
        'app.kubernetes.io/version': version,
      },
    ]),
  )
})

test('without workloads there is nothing that runs a program or leads to one, and all else', () => {
  const kinds = (workloads: boolean) => new Set(installManifests({ workloads }).map(({ kind }) => kind))
  expect(kinds(true).difference(kinds(false))).toEqual(
    new Set(['NetworkPolicy', 'PodDisruptionBudget', 'PersistentVolumeClaim', 'Service', 'DaemonSet', 'Deployment']),
  )
  expect(kinds(false)).toContain('ValidatingAdmissionPolicyBinding')
})
